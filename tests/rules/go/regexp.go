package main

import (
	"fmt"
	"math/rand"
	"regexp"
	"strings"
)

var patterns = []string{
	``, `a`, `abc`, `a|b`, `a|`, `|a`, `()`, `(|a)*`, `(a*)*`, `(a*)+`, `(a|b)*c`, `a{2}`, `a{2,}`, `a{2,3}`, `a{,3}`, `a{`, `{`, `}`,
	`\s+{[0-9]`, `a{1`, `a{1,`, `a{1,2`, `a{01}`, `a{1001}`, `a{1000}`, `(a{100}){10}`, `(a{100}){11}`, `(a{0}){1000}`, `((a{10}){10}){10}`,
	`a{2,1}`, `a**`, `a*?`, `a+?`, `a??`, `a*+`, `a++`, `a?*`, `a{2}{3}`, `a{2}?`, `*`, `+a`, `?`, `(*)`, `(?:*)`, `|*`, `a|*`, `^*`, `$*`, `\b+`,
	`^a`, `a$`, `^$`, `(?m)^a$`, `(?m)$`, `(?s).`, `.`, `(?s)a.b`, `a.b`, `(?U)a+`, `(?U)a+?`, `(?i)abc`, `(?i)при`, `(?i)ß`, `(?i)k`, `(?i)[k]`,
	`(?i)[^k]`, `(?i)\w`, `(?i)\W`, `(?i)[[:word:]]`, `(?i)\pL`, `(?i)\p{Lu}`, `(?i)\P{Lu}`, `(?i)[^\W]`, `(?i)σ`, `(?i)[а-я]+`, `(?i:a)b`, `a(?i)b`,
	`(a(?i)b)c`, `a(?i)b|c`, `(?i-s)a`, `(?-i)a`, `(?i)(?-i:a)b`, `(?)`, `(?-)a`, `(?i`, `(?i-`, `(?i-)`, `(?-s-i)`, `(?x)a`, `(?ii)a`, `(?iU-s:a+)`,
	`a(?i)*`, `a*(?i)*`, `a\Q\E*`, `\Qa.b\E+`, `\Q(`, `\Qab`, `\E`, `\Q\\E`, `\d`, `\D`, `\s`, `\S`, `\w`, `\W`, `\b`, `\B`, `\bab\b`, `\Bb`, `\A`, `\z`, `\Z`, `\C`, `\G`,
	`\<`, `\>`, `\a`, `\f`, `\n`, `\r`, `\t`, `\v`, `\0`, `\01`, `\012`, `\1`, `\12`, `\123`, `\8`, `\x`, `\x4`, `\x41`, `\x{41}`, `\x{}`, `\x{110000}`, `\x{10FFFF}`,
	`\x{44f}`, `\x{D800}`, `[\x{D800}-\x{DFFF}]`, `[^\x{D800}-\x{DFFF}]`, `\u0041`, `\y`, `\`, `a\`, `\я`, `\_`, `\-`, `\/`, `\"`, `\'`, `\ `,
	`[`, `[]`, `[]]`, `[]a]`, `[^]`, `[^]]`, `[^]a]`, `[a`, `[a-`, `[a-]`, `[-a]`, `[a-z]`, `[z-a]`, `[a-a]`, `[a-c-e]`, `[a--]`, `[--a]`, `[+--]`, `[a\]b]`, `[\w-z]`,
	`[a-\w]`, `[\d-a]`, `[^[]`, `[a[b]`, `[[]`, `[[a]`, `[a&&b]`, `[&&]`, `[a~~b]`, `[a-z&&[^b]]`, `[^a]`, `[^\n]`, `[^\x00-\x{10FFFF}]`, `[\s\S]*?b`,
	`[[:alpha:]]`, `[[:^alpha:]]`, `[^[:alpha:]]`, `[[:print:]]+`, `[[:foo:]]`, `[[:alpha:]-z]`, `[:alpha:]`, `[[:alpha]`, `[[:word:][:space:]]+`, `[[:ascii:]]`,
	`[[:blank:]]`, `[[:cntrl:]]`, `[[:digit:]]`, `[[:graph:]]`, `[[:lower:]]`, `[[:punct:]]`, `[[:upper:]]`, `[[:xdigit:]]`, `[[:alnum:]]`, `[[.a.]]`, `[[=a=]]`,
	`[\pL]`, `[^\pL]`, `[\PL\d]`, `\pL`, `\PL`, `\p{L}`, `\p{^L}`, `\P{^L}`, `\p{Cyrillic}`, `\p{cyrillic}`, `\p{Greek}+`, `\p{Lu}`, `\p{lu}`, `\p{Letter}`, `\p{LC}`, `\p{Any}`,
	`\p{ASCII}`, `\p{Assigned}`, `\p{Cs}`, `\p{Cn}`, `\pC`, `\p{Foo}`, `\p{}`, `\p{L`, `\p`, `\pя`, `\p{Alphabetic}`, `\p{sc=Greek}`, `\p{Script=Greek}`, `\pX`, `\p{L&}`,
	`\pN`, `\pP`, `\pS`, `\pZ`, `\p{Nd}`, `\p{Zs}`, `\p{So}`, `\p{Sc}`, `[\Q]\E]`, `[\b]`, `[\A]`, `[\z]`, `[\B]`, `[\0]`, `[\x41-\x43]`, `[\n-\r]`,
	`(`, `)`, `(a`, `a)`, `(a))`, `((a)`, `(?:a)`, `(?P<n>a)`, `(?<n>a)`, `(?P<n>a)(?P<n>b)`, `(?P<>a)`, `(?P<1>a)`, `(?P<a b>a)`, `(?P<я>a)`, `(?P<n`, `(?P=n)`, `(?P>n)`,
	`(?=a)`, `(?!a)`, `(?<=a)`, `(?<!a)`, `(?>a)`, `(?#a)`, `(?'n'a)`, `(?`, `(?:`, `(?a)`, `(a)\1`, `\k<n>`, `a{-1}`, `a{1,-1}`, `a{ 1}`, `a{1, 2}`, `a{,}`, `a{}`, `a{1}b{`,
	`a{99999999999}`, `a{1,99999999999}`, `x{0}`, `x{0,0}`, `x{0,1}`, `(?:a|b){2,3}`, `(?:ab){0,2}c`, `(?i)(?:user|usr)[\s_-]?name`, `^(?i)abc`, `(?i)^abc$`,
	`net\s+user\s+\S+\s+/add`, `(?i)\b(?:nc|ncat|netcat)\b.*-[a-z]*e`, `\d{1,3}(?:\.\d{1,3}){3}`, `^(?:10|127|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.`,
	`(?i)powershell(?:\.exe)?\s.*-e(?:nc|ncodedcommand)?\s+[A-Za-z0-9+/=]{4,}`, `[^\x20-\x7e]`, `\$env`, `\s+\$\w+`, `a|ab`, `ab|a`, `(a|ab)(c|bcd)`, `a.*?b`, `a.*b`, `\.`, `[.]`, `.*`, `.+`, `^.*$`,
	`(?m)^.*$`, `(?s)^.*$`, `\x{FFFD}`, `[^\x{FFFD}]`, `\pC+`, `[а-яё]+`, `[А-Яа-я]{2,4}`, `при.ет`, `(?i)ПРИВЕТ`, `\W+`, `\S+`, `[^\s]+`, `\\`, `C:\\Windows\\`, `(?i)c:\\windows\\`,
}

var texts = []string{
	"", "a", "b", "ab", "abc", "ABC", "aab", "aaab", "aaaaaa", "ba", "b\na", "a\nb", "a\n", "\n", "a b c", "abcd", "a{", "{", "a{,3}", "a{1", "}", "*", "-", "]", "[", "^", "&", "~", "\\", "(", "a.b", "a+b",
	"привет", "ПРИВЕТ", "при", "я", "Я", "ß", "ẞ", "SS", "σς Σ", "K", "k", "ſ", "_", "0", "9", " ", "\t", "\v", "\u00a0", "\u2028", "\ufeff", "\ufffd", "\xff", "\x80abc", "при\xd0", "\xd0я", "a\xffb", "\xed\xa0\x80", "😀", "a😀b",
	"net user bob /add", "nc.exe -lvp 1 -e cmd", "10.1.1.5", "192.168.0.1", "powershell.exe -enc SQBFAFgA", "  $env:x", "C:\\Windows\\System32", "user_name=bob", "word-word", "x-z", "\x00", "\x07", "\x7f", "٣", "Ⅷ", "₽", "中文", "e\u0301", "ab\r\ncd", "c d",
}

var atoms = []string{
	`a`, `b`, `c`, `я`, `k`, `.`, `\d`, `\w`, `\s`, `\W`, `\S`, `\D`, `[a-c]`, `[^a-c]`, `[а-я]`, `[^я]`, `[\w-]`, `[[:alpha:]]`, `[^[:space:]]`, `\pL`, `\P{Lu}`, `\b`, `\B`, `^`, `$`, `\A`, `\z`,
	`(?i)`, `(?s)`, `(?m)`, `(?U)`, `(?-i)`, `\Qa.\E`, `\n`, `\x61`, `{`, `}`, `]`, `\.`, `-`, `[]a]`, `[^\n]`, `K`, `B`, `Я`, ` `, `\x{44f}`,
}

var operators = []string{`*`, `+`, `?`, `*?`, `+?`, `??`, `{2}`, `{0,2}`, `{1,}`, `{,2}`, `{0}`, `{1,3}?`}

func generated(r *rand.Rand, depth int) string {
	var b strings.Builder
	for n := 1 + r.Intn(4); n > 0; n-- {
		switch k := r.Intn(10); {
		case k < 6 || depth == 0:
			b.WriteString(pick(r, atoms))
		case k < 8:
			b.WriteString(pick(r, []string{"(", "(?:", "(?i:", "(?P<x>", "(?s:", "(?m:"}) + generated(r, depth-1) + ")")
		default:
			b.WriteString("(" + generated(r, depth-1) + "|" + generated(r, depth-1) + ")")
		}
		if r.Intn(3) == 0 {
			b.WriteString(pick(r, operators))
		}
	}
	if r.Intn(8) == 0 {
		b.WriteString("|" + generated(r, 0))
	}
	return b.String()
}

// A pattern that is probably none.
func damaged(r *rand.Rand, pattern string) string {
	runes := []rune(pattern)
	for n := 1 + r.Intn(2); n > 0 && len(runes) > 0; n-- {
		at := r.Intn(len(runes))
		switch r.Intn(3) {
		case 0:
			runes = append(runes[:at], runes[at+1:]...)
		case 1:
			runes[at] = []rune(`()[]{}*+?\|^$-:<P,1я`)[r.Intn(20)]
		default:
			runes = append(runes[:at], append([]rune{[]rune(`()[]{}*+?\|^$-:<P,1я`)[r.Intn(20)]}, runes[at:]...)...)
		}
	}
	return string(runes)
}

func writeRegexp(r *rand.Rand) {
	try := func(pattern string, texts ...string) {
		re, err := regexp.Compile(pattern)
		if err != nil {
			row(pattern, "", "error")
			return
		}
		for _, text := range texts {
			found := "none"
			if at := re.FindStringIndex(text); at != nil {
				found = fmt.Sprintf("%d:%d", at[0], at[1])
			}
			row(pattern, text, found)
		}
	}
	some := func(n int) []string {
		var chosen []string
		for ; n > 0; n-- {
			chosen = append(chosen, pick(r, texts))
		}
		return chosen
	}
	for _, pattern := range patterns {
		try(pattern, some(12)...)
	}
	for i := 0; i < 1000; i++ {
		try(generated(r, 2), some(3)...)
	}
	for i := 0; i < 800; i++ {
		base := pick(r, patterns)
		if r.Intn(2) == 0 {
			base = generated(r, 2)
		}
		try(damaged(r, base), some(2)...)
	}
}
