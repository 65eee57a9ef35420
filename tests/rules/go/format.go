package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand"
	"strconv"
	"strings"
)

// An operand as the table writes it, and as Go has it.
func operand(kind byte, text string) any {
	switch kind {
	case 'i':
		n, _ := strconv.Atoi(text)
		return n
	case 'f':
		n, _ := strconv.ParseFloat(text, 64)
		return n
	case 's':
		return text
	case 'b':
		return text == "true"
	case 'j':
		var value any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			panic(err)
		}
		return value
	}
	return nil
}

var operands = []string{
	"i0", "i1", "i-1", "i42", "i-42", "i65", "i255", "i1114112", "i1103", "i10", "i127", "i9223372036854775807", "i-9223372036854775808", "i3", "i7",
	"f0", "f-0", "f1", "f-1", "f1.5", "f0.1", "f-2.5", "f1e6", "f999999", "f1234567", "f123456789", "f1e20", "f1e21", "f1e22", "f1e100", "f1e-5", "f0.0001", "f0.00001234", "f3.141592653589793", "f2.5", "f0.5", "f1e-320", "f1.7976931348623157e308", "fNaN", "f+Inf", "f-Inf", "f100", "f100000.5", "f12345.6789", "f0.25", "f0.125", "f1.45", "f99.995",
	"s", "sa", "sabc", "sпривет", "s\xff\xd0", "sa\"b\\c\n\t\x00\x7f", "s`", "s\u00a0\u00ad\U0001F600\U000E0001", "s日本語", "s'", "s\ufeff",
	"btrue", "bfalse", "n",
	`j[]`, `j{}`, `j[1,2.5,"x",null,true]`, `j{"b":1,"a":[1,"x"],"я":null}`, `j[[1],[]]`, `j{"a":{"b":{"c":"d"}}}`, `j["a b","c"]`, `j[1000000,0.000001]`,
}

func writeFormat(r *rand.Rand) {
	try := func(format string, specs ...string) {
		var args []any
		for _, spec := range specs {
			args = append(args, operand(spec[0], spec[1:]))
		}
		row(format, strings.Join(specs, "\x1f"), fmt.Sprintf(format, args...))
	}
	verbs := "vTtdbBoOxXcqUeEfFgGsw%zя"
	for _, verb := range verbs {
		for _, spec := range operands {
			if verb == 'b' && spec[0] == 'n' {
				continue
			}
			try("%"+string(verb), spec)
		}
	}
	flags := []string{"", "+", "-", " ", "0", "#", "+#", "-0", "+0", " 0", "#0", "# ", "+ ", "-+", "0-"}
	widths := []string{"", "1", "5", "10", "20", "*", "[1]*"}
	precisions := []string{"", ".", ".0", ".1", ".2", ".3", ".6", ".10", ".20", ".*", ".[2]*"}
	for i := 0; i < 3000; i++ {
		var format strings.Builder
		var specs []string
		for n := 1 + r.Intn(2); n > 0; n-- {
			format.WriteString(pick(r, []string{"", "", "x", " ", "я", "%%"}))
			width, precision := pick(r, widths), pick(r, precisions)
			if r.Intn(3) > 0 {
				precision = ""
			}
			format.WriteString("%" + pick(r, flags) + width + precision)
			if r.Intn(25) == 0 {
				format.WriteString(pick(r, []string{"[1]", "[2]", "[9]", "[0]", "[x]", "[", "[]", "[1"}))
			}
			verb := []rune(verbs)[r.Intn(24)]
			if r.Intn(3) > 0 {
				verb = []rune("vdsxXqfgeEcU")[r.Intn(12)]
			}
			format.WriteRune(verb)
			if strings.HasSuffix(width, "*") {
				specs = append(specs, pick(r, []string{"i5", "i-7", "i0", "i12", "s5", "f5", "i2000000"}))
			}
			if strings.HasSuffix(precision, "*") {
				specs = append(specs, pick(r, []string{"i2", "i-1", "i0", "i8", "s2", "n"}))
			}
			specs = append(specs, pick(r, operands))
		}
		if r.Intn(15) == 0 {
			specs = append(specs, pick(r, operands))
		}
		if r.Intn(15) == 0 {
			specs = specs[:len(specs)-1]
		}
		try(format.String(), specs...)
	}
	for _, format := range []string{"%", "%5", "%.", "%-", "%+", "100%", "%10000010d", "%.10000010d", "%300d", "%.300d", "%[", "%[1", "%[1]", "%[1]*d", "%\xffd", "%!", "%!d", "%5.2", "% d %d"} {
		try(format, "i7", "i8")
	}
	for i := 0; i < 500; i++ {
		f := math.Float64frombits(r.Uint64())
		if r.Intn(2) == 0 {
			f = float64(r.Intn(2000000)-1000000) / math.Pow(10, float64(r.Intn(8)))
		}
		try(pick(r, []string{"%v", "%g", "%e", "%f", "%.2f", "%.0f", "%.3g", "%x", "%b", "%#g", "%.5e", "%.1f", "%X", "%.4x", "%G"}), "f"+strconv.FormatFloat(f, 'g', -1, 64))
	}
}
