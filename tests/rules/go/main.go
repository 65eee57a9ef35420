// Writes the tables of what Go answers, one case a line, that tests/rule_go.rs compares with:
//
//	go run . regexp > ../regexp.tsv     (also: duration, time, format, template)
//
// Control characters, % and bytes beyond ASCII are %-escaped. The cases come from lists and from a generator with a
// fixed seed, so that every run writes the same.
package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"strings"
)

var out = bufio.NewWriter(os.Stdout)

func escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c >= 0x7f || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func row(fields ...string) {
	for i, field := range fields {
		if i > 0 {
			out.WriteByte('\t')
		}
		out.WriteString(escape(field))
	}
	out.WriteByte('\n')
}

// The kinds of tables, each with what its columns are.
var tables = map[string]struct {
	columns string
	write   func(r *rand.Rand)
}{
	"regexp":   {"pattern, text, the place of the leftmost match, none, or error", writeRegexp},
	"duration": {"text, nanoseconds or error, the text of these nanoseconds", writeDuration},
	"format":   {"format, operands by kind, the text", writeFormat},
	"template": {"template, data in JSON, = and the text, or ! and the error", writeTemplate},
	"time":     {"layout, text, seconds.nanoseconds or error", writeTime},
}

func main() {
	name := ""
	if len(os.Args) == 2 {
		name = os.Args[1]
	}
	table, ok := tables[name]
	if !ok {
		fmt.Fprintln(os.Stderr, "name a table")
		os.Exit(2)
	}
	fmt.Fprintf(out, "# What %s answers: %s.\n", runtime.Version(), table.columns)
	table.write(rand.New(rand.NewSource(20240501)))
	out.Flush()
}

func pick(r *rand.Rand, from []string) string {
	return from[r.Intn(len(from))]
}
