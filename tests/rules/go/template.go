package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"reflect"
	"strings"
	"text/template"
)

const event = `{"First":{"a":{"b":{"c":"deep"}},"user":"bob","empty":"","zero":0,"n":3,"big":12345678,"half":1.5,"yes":true,"no":false,"nil":null,"list":["x","y",1,null,[2,"z"]],"nums":[1,2,3],"none":[],"nomap":{},"map":{"k":"v","a":1,"z":null},"я":"ю","host":{"ip":["10.0.0.1","10.0.0.2"]},"html":"<a href=\"x\">&'</a>\u0000","sp":"a b/c?d=e&я"},"Meta":{"ip":"1.2.3.4","users":["bob","eve"],"count":"5","items":[{"name":"n1","cmd":"c1"},{"name":"n2"},{}],"text":"line\n\ttab","risk":6.5}}`

var templates = []string{
	``, `plain`, "tabs\tand\nlines", `{{ .First.user }}`, `{{.First.user}}`, `{{ .First.a.b.c }}`, `{{ .First.absent }}`, `{{ .First.absent.deeper.still }}`, `{{ .Absent }}`, `{{ .First.user.x }}`, `{{ .First.nil }}`, `{{ .First.nil.x }}`, `{{ .First.list.x }}`, `{{ .First.list.0 }}`,
	`{{ .First.zero }}`, `{{ .First.n }}`, `{{ .First.big }}`, `{{ .First.half }}`, `{{ .First.yes }}`, `{{ .First.list }}`, `{{ .First.map }}`, `{{ .First }}`, `{{ . }}`, `{{ $ }}`, `{{ $.Meta.ip }}`, `{{ .First.none }}`, `{{ .First.nomap }}`, `{{ .First.я }}`, `{{ .First.host.ip }}`,
	`{{ if .First.user }}y{{ else }}n{{ end }}`, `{{ if .First.absent }}y{{ else }}n{{ end }}`, `{{ if .First.empty }}y{{ else }}n{{ end }}`, `{{ if .First.zero }}y{{ else }}n{{ end }}`, `{{ if .First.none }}y{{ else }}n{{ end }}`, `{{ if .First.nomap }}y{{ else }}n{{ end }}`, `{{ if .First.nil }}y{{ else }}n{{ end }}`,
	`{{ if .First.no }}1{{ else if .First.yes }}2{{ else }}3{{ end }}`, `{{ if .First.no }}1{{ else if .First.no }}2{{ else }}3{{ end }}`, `{{ if and .First.user .Meta.ip }}both{{ end }}`, `{{ if or .First.absent .Meta.ip }}one{{ end }}`, `{{ or .Meta.absent "text" }}`, `{{ or .First.empty "text" }}`, `{{ or .Meta.ip "text" }}`, `{{ and .First.user .First.absent }}`, `{{ and .First.absent (.First.user.x) }}`, `{{ or .First.user (.First.user.x) }}`, `{{ not .First.user }}`, `{{ not .First.absent }}`,
	`{{- range $key, $item := .Meta.items }}{{ $key }}={{ $item.name }}/{{ $item.cmd }};{{ end -}}`, "{{- range $key, $item := .Meta.items }}\n {{ $item.name }}\n{{- end -}}\n x", `{{ range .Meta.users }}[{{ . }}]{{ end }}`, `{{ range $x := .Meta.users }}{{ $x }}{{ $.First.user }}{{ end }}`, `{{ range .First.none }}a{{ else }}empty{{ end }}`, `{{ range .First.absent }}a{{ else }}empty{{ end }}`, `{{ range $k, $v := .First.map }}{{ $k }}:{{ $v }} {{ end }}`, `{{ range .First.map }}{{ . }} {{ end }}`, `{{ range .First.user }}x{{ end }}`, `{{ range .First.n }}x{{ end }}`, `{{ range 3 }}{{ . }}{{ end }}`, `{{ range $i := 3 }}{{ $i }}{{ end }}`, `{{ range $i, $j := 3 }}{{ $i }}{{ end }}`, `{{ range 0 }}x{{ else }}e{{ end }}`,
	`{{ range .First.nums }}{{ if eq . 2.0 }}{{ break }}{{ end }}{{ . }}{{ end }}`, `{{ range .First.nums }}{{ if eq . 2.0 }}{{ continue }}{{ end }}{{ . }}{{ end }}`, `{{ break }}`, `{{ if 1 }}{{ continue }}{{ end }}`, `{{ range .First.none }}{{ else }}{{ break }}{{ end }}`, `{{ range $i, $e := .First.list }}{{ $i }}{{ $e }}{{ end }}`, `{{ range .First.list }}{{ .x }}{{ end }}`, `{{ range $x = .First.nums }}{{ end }}`, `{{ $x := 0 }}{{ range $x = .First.nums }}{{ end }}{{ $x }}`, `{{ $i := 0 }}{{ $x := 0 }}{{ range $i, $x = .First.nums }}{{ end }}{{ $i }}{{ $x }}`, `{{ range $i, $x, $y := .First.nums }}{{ end }}`, `{{ range $i, := .First.nums }}{{ end }}`, `{{ range $i, $x }}{{ end }}`,
	`{{ with .First.a }}{{ .b.c }}{{ end }}`, `{{ with .First.absent }}x{{ else }}none{{ end }}`, `{{ with $x := .First.a }}{{ $x.b }}{{ end }}`, `{{ with .First.absent }}1{{ else with .First.user }}{{ . }}{{ end }}`, `{{ with .First.absent }}1{{ else if .First.user }}{{ . }}{{ end }}`, `{{ if .First.no }}1{{ else with .First.user }}{{ . }}{{ end }}`,
	`{{ $x := 1 }}{{ $x }}`, `{{ $x := 1 }}{{ $x = 2 }}{{ $x }}`, `{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}`, `{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}`, `{{ if $x := .First.user }}{{ $x }}{{ end }}{{ $x }}`, `{{ $x }}`, `{{ $x = 1 }}`, `{{ $x := }}`, `{{ $x, $y := 1 }}`, `{{ $x := .First }}{{ $x.user }}{{ $x.a.b }}`, `{{ $ := 1 }}{{ $ }}`, `{{ $x := 1 | printf "%d" }}{{ $x }}`, `{{ ($y := 5) }}{{ $y }}`, `{{ $x }}{{ $x := 1 }}`,
	`{{ define "t" }}[{{ . }}]{{ end }}{{ template "t" .First.user }}`, `{{ template "t" .First.user }}{{ define "t" }}[{{ . }}]{{ end }}`, `{{ define "t" }}x{{ end }}{{ template "t" }}`, `{{ define "t" }}{{ . }}{{ $ }}{{ end }}{{ template "t" }}`, `{{ template "none" }}`, `{{ block "b" .First.user }}<{{ . }}>{{ end }}`, `{{ block "b" . }}{{ end }}{{ define "b" }}later{{ end }}`, `{{ define "t" }}a{{ end }}{{ define "t" }}b{{ end }}`, `{{ define "t" }}{{ end }}{{ define "t" }}b{{ end }}{{ template "t" }}`, `{{ define t }}{{ end }}`, `{{ define "t" }}`, `{{ if 1 }}{{ define "t" }}{{ end }}{{ end }}`, `{{ define "t" }}{{ else }}{{ end }}`, "{{ define `t` }}x{{ end }}{{ template `t` }}", `{{ template "t" 1 2 }}{{ define "t" }}{{ end }}`, `{{ range .First.nums }}{{ block "x" . }}{{ break }}{{ end }}{{ end }}`, `{{ $x := 1 }}{{ define "t" }}{{ $x }}{{ end }}`, `{{ $v := 1 }}{{ block "x" $v }}{{ . }}{{ end }}`,
	`{{ printf "%s is %v" .First.user .First.n }}`, `{{ printf "%d" .First.n }}`, `{{ printf "%d" 5 }}`, `{{ printf "%05.2f" .Meta.risk }}`, `{{ printf "%q" .First.user }}`, `{{ printf "%v" .First.absent }}`, `{{ printf "%v" .First.nil }}`, `{{ printf .First.user }}`, `{{ printf .First.n }}`, `{{ printf 1 }}`, `{{ printf }}`, `{{ printf nil }}`, `{{ "x" | printf "%s-%s" "y" }}`, `{{ .First.user | printf "%s" | printf "<%s>" }}`, `{{ printf "%T %T %T" 1 1.5 "x" }}`, `{{ printf "%T" .First.n }}`, `{{ printf "%c" 'a' }}`,
	`{{ print .First.user .First.n .First.half }}`, `{{ print 1 2 "a" "b" 3 }}`, `{{ print }}`, `{{ println 1 "a" }}`, `{{ print .First.absent }}`, `{{ print nil }}`, `{{ println .First.nil .First.absent }}`, `{{ html .First.html }}`, `{{ .First.html | html }}`, `{{ js .First.html }}`, `{{ js "a'b\"c\\d=\n\u00ad" }}`, `{{ urlquery .First.sp }}`, `{{ urlquery .First.user .First.n }}`, `{{ html .First.absent }}`, `{{ html }}`, `{{ html 1 "a" .First.list }}`, `{{ js 1.5 }}`, `{{ html .First.nil }}`,
	`{{ len .First.user }}`, `{{ len .First.list }}`, `{{ len .First.map }}`, `{{ len .First.n }}`, `{{ len .First.absent }}`, `{{ len .First.nil }}`, `{{ len "я" }}`, `{{ len }}`, `{{ len 1 2 }}`, `{{ .First.list | len }}`, `{{ len .First.none }}`,
	`{{ index .First.list 0 }}`, `{{ index .First.list 4 1 }}`, `{{ index .First.list 5 }}`, `{{ index .First.list 9 }}`, `{{ index .First.list -1 }}`, `{{ index .First.list .First.n }}`, `{{ index .First.list "0" }}`, `{{ index .First.map "k" }}`, `{{ index .First.map "absent" }}`, `{{ index .First.map "absent" "x" }}`, `{{ index .First.map "z" }}`, `{{ index .First.map 1 }}`, `{{ index .First.map nil }}`, `{{ index .First.absent 0 }}`, `{{ index .First.nil 0 }}`, `{{ index . "First" "a" "b" "c" }}`, `{{ index .First.user 0 }}`, `{{ index .First.user 3 }}`, `{{ index .First.n 0 }}`, `{{ index .First.list }}`, `{{ index .First.list 3 }}`, `{{ index nil }}`, `{{ index .First.absent }}`, `{{ index .First.list nil }}`, `{{ index }}`, `{{ (index .Meta.items 0).name }}`, `{{ index .Meta.items 0 "name" }}`, `{{ if index .First.list 3 }}y{{ else }}n{{ end }}`, `{{ (index .First.list 3).x }}`,
	`{{ slice .First.user 1 }}`, `{{ slice .First.user 1 2 }}`, `{{ slice .First.user 2 1 }}`, `{{ slice .First.user 0 9 }}`, `{{ slice .First.nums 1 }}`, `{{ slice .First.nums 1 2 }}`, `{{ slice .First.nums 0 2 2 }}`, `{{ slice .First.user 0 1 1 }}`, `{{ slice .First.map 0 }}`, `{{ slice .First.absent }}`, `{{ slice .First.user }}`, `{{ slice .First.user "a" }}`, `{{ slice "abc" 1 2 }}`, `{{ slice .First.nums 3 }}`, `{{ slice .First.user 0 1 2 3 }}`,
	`{{ eq .First.user "bob" }}`, `{{ eq .First.user "a" "bob" }}`, `{{ eq .First.n 3 }}`, `{{ eq .First.n 3.0 }}`, `{{ eq 3 3 }}`, `{{ eq 3 3.0 }}`, `{{ eq .First.user 1 }}`, `{{ eq .First.absent "x" }}`, `{{ eq .First.absent .First.nil }}`, `{{ eq .First.nil nil }}`, `{{ eq nil nil }}`, `{{ eq .First.list .First.list }}`, `{{ eq .First.map .First.absent }}`, `{{ eq .First.yes true }}`, `{{ eq .First.yes 1 }}`, `{{ eq 1 }}`, `{{ eq }}`, `{{ ne .First.user "x" }}`, `{{ ne .First.absent "x" }}`, `{{ ne 1 }}`, `{{ ne 1 2 3 }}`, `{{ eq (index "abc" 0) 'a' }}`, `{{ eq (index "abc" 0) 97 }}`, `{{ lt (index "abc" 0) 98 }}`, `{{ eq "a" "b" "c" }}`, `{{ eq .First.user .First.n }}`, `{{ eq 1 "x" 1 }}`, `{{ eq "x" nil }}`,
	`{{ lt 1 2 }}`, `{{ le 2 2 }}`, `{{ gt 3 2 }}`, `{{ ge 2 3 }}`, `{{ lt "a" "b" }}`, `{{ lt .First.n 5.0 }}`, `{{ gt .First.half 1.0 }}`, `{{ lt .First.n 5 }}`, `{{ lt .First.user 1 }}`, `{{ lt .First.absent 1 }}`, `{{ lt true false }}`, `{{ gt .First.list 1 }}`, `{{ le "a" "a" }}`, `{{ ge "b" "a" }}`, `{{ lt .First.absent .First.nil }}`, `{{ lt nil 1 }}`, `{{ ge .First.list .First.list }}`,
	`{{ call .First.user }}`, `{{ call nil }}`, `{{ call }}`, `{{ nope }}`, `{{ .First.user | nope }}`, `{{ .First.user 1 }}`, `{{ 1 | .First.user }}`, `{{ .First.absent.x 1 }}`, `{{ .First.absent 1 }}`, `{{ "a" "b" }}`, `{{ 1 2 }}`, `{{ . 1 }}`, `{{ $x := 1 }}{{ $x 2 }}`, `{{ nil }}`, `{{ nil | print }}`, `{{ 1 | 2 }}`, `{{ "a" | "b" }}`, `{{ (1) 2 }}`, `{{ 1 | (print) }}`, `{{ true }}`, `{{ true | not }}`, `{{ and }}`, `{{ or }}`, `{{ and 1 }}`, `{{ or nil }}`, `{{ 1 | and 0 }}`, `{{ 0 | and 1 }}`, `{{ 1 | or 0 }}`, `{{ .First.nil | or }}`, `{{ not }}`, `{{ not 1 2 }}`, `{{ print | len }}`, `{{ and .First.nil 1 }}`, `{{ or .First.nil .First.absent }}`,
	`{{ 1 }}`, `{{ -1 }}`, `{{ +1 }}`, `{{ 1.0 }}`, `{{ 1.5 }}`, `{{ 1e6 }}`, `{{ 1e3 }}`, `{{ 0x1F }}`, `{{ 0x1e }}`, `{{ 0b101 }}`, `{{ 0o17 }}`, `{{ 017 }}`, `{{ 08 }}`, `{{ 1_000 }}`, `{{ 1__0 }}`, `{{ _1 }}`, `{{ 1_ }}`, `{{ 0x_1 }}`, `{{ 0x1p4 }}`, `{{ 0x1.8p1 }}`, `{{ 0x.8p0 }}`, `{{ 1. }}`, `{{ .5 }}`, `{{ -.5 }}`, `{{ 1e }}`, `{{ 1e400 }}`, `{{ 9223372036854775807 }}`, `{{ 9223372036854775808 }}`, `{{ 18446744073709551616 }}`, `{{ -9223372036854775808 }}`, `{{ 1a }}`, `{{ 1+2 }}`, `{{ - }}`, `{{ 'a' }}`, `{{ 'я' }}`, `{{ '\n' }}`, `{{ '\'' }}`, `{{ '\x41' }}`, `{{ '\101' }}`, `{{ '\u044f' }}`, `{{ 'ab' }}`, `{{ '' }}`, `{{ '"' }}`, `{{ '\"' }}`, `{{ 1_0.5 }}`, `{{ 1e1_0 }}`, `{{ 0_7 }}`, `{{ 1.5.5 }}`, `{{ 00 }}`, `{{ 0 }}`, `{{ -0 }}`, `{{ -0.0 }}`,
	`{{ "a\tb\"c\\d" }}`, `{{ "\x41\101\u044f\U0001F600" }}`, `{{ "\'" }}`, `{{ "\q" }}`, `{{ "a` + "\n" + `b" }}`, "{{ `raw\\n\n\"` }}", "{{ `a\r\nb` }}", `{{ "unclosed }}`, "{{ `unclosed }}", `{{ "я" }}`, `{{ "\ud800" }}`, `{{ "\400" }}`, `{{ "}}" }}`, `{{ "{{" }}`, `{{ "a"}}`, `{{"a" | print}}`,
	`{{`, `}}`, `{{}}`, `{{ }}`, `{{ .x`, `{{ .x }`, `{{ .x } }`, `{{{ .x }}}`, `{{ if }}{{ end }}`, `{{ if .x }}`, `{{ end }}`, `{{ else }}`, `{{ if 1 }}{{ else }}{{ else }}{{ end }}`, `{{ if 1 }}{{ else 1 }}{{ end }}`, `{{ if 1 }}{{ end 1 }}`, `{{ range }}{{ end }}`, `{{ with }}{{ end }}`, `{{ range 1 }}{{ else if 1 }}{{ end }}`, `{{ template }}`, `{{ template t }}`, `{{ block "b" }}{{ end }}`, `{{ if if }}{{ end }}`, `{{ .x | }}`, `{{ | print }}`, `{{ print | }}`, `{{ print || print }}`, `{{ (print }}`, `{{ print) }}`, `{{ () }}`, `{{ (print) }}`, `{{ (print "a" | len) }}`, `{{ ((1)) }}`, `{{ (.First).user }}`, `{{ (.First.a).b.c }}`, `{{ (print "a").x }}`, `{{ ("a").x }}`, `{{ "a".x }}`, `{{ 1.x }}`, `{{ true.x }}`, `{{ nil.x }}`, `{{ ..x }}`, `{{ .. }}`, `{{ .First. }}`, `{{ .First..a }}`, `{{ .First .a }}`, `{{ .1x }}`, `{{ .First.1 }}`, `{{ $.First.user }}`, `{{ $.$ }}`, `{{ $1 }}`, `{{ @ }}`, `{{ .First.@timestamp }}`, `{{ # }}`, `{{ a:b }}`, `{{ : }}`, `{{ = }}`, `{{ , }}`, `{{ print,1 }}`, `{{ print .First.user, 1 }}`, `{{ .First-user }}`, `{{ print.x }}`, `{{ len.x }}`, `{{ .First.user|print|len }}`, `{{print(1)}}`, `{{ print(1)(2) }}`, `{{ print (1) (2) }}`, `{{ .x é }}`, "{{ \u00a0 }}", "{{\n.First.user\n}}", "{{\t.First.user\t}}", `{{ break 1 }}`, `{{ nil := 1 }}`, `{{ if 1 }}{{ template "x" }}{{ end }}`, `{{ define }}{{ end }}`, `{{ range break }}{{ end }}`, `{{ print break }}`,
	"a {{- 1 -}} b", "a \n{{- 1 }} b", "a {{ 1 -}}\n\t b", "a {{-1}} b", "a {{- -1 -}} b", "a {{ 1-}} b", "a {{1 -}} b", "a {{- 1-}} b", "{{- }}", "{{ -}}", "{{- -}}", "a {{-  -}} b", "{{-\n1\n-}}", "a {{- \"x\" -}} {{- 2 -}} b", "a{{/* c */}}b", "a {{- /* c */ -}} b", "a {{/* c */ -}} b", "a {{- /* c */}} b", "a {{ /* c */ }} b", "a {{/* c }} b", "a {{/* c */ }} b", "a {{/* }} */}} b", "a {{/**/}} b", "a {{/*/}} b", "a {{-/* c */-}} b", "{{if 1 -}} x {{- end}}", "  {{- if 1}} x {{end -}}  ", "{{ 1 - }}", "{{ 1 -  }}", "{{ . -}}", "a {{- /* x */ }} b",
	"<Title>", "{{ \"<b>\" }}", "Пользователь {{ .First.user }} вошёл с {{ or .Meta.absent \"неизвестного адреса\" }}", "{{ if and .First.user (or .First.absent .Meta.ip) }}{{ .Meta.ip }}{{ end }}", "{{ range .Meta.items }}{{ or .cmd \"-\" }} {{ end }}", "{{ if eq .First.user \"bob\" \"eve\" }}known{{ end }}", "{{ range $i, $u := .Meta.users }}{{ if $i }}, {{ end }}{{ $u }}{{ end }}", "{{ .Meta.text }}", "{{ with index .First.host.ip 0 }}{{ . }}{{ end }}", "{{ .First.host.ip | printf \"%v\" }}",
}

var words = []string{
	`.First.user`, `.First.absent`, `.First.nil`, `.First.n`, `.First.list`, `.First.map`, `.First.a`, `.First.yes`, `.`, `$`, `$x`, `1`, `2.5`, `"s"`, `'c'`, `true`, `nil`, `(print 1)`, `(len "abc")`, `(index .First.list 0)`, `(.First.a).b`, `.Meta.items`, `.Meta.risk`, `(or .First.absent 7)`, `(1)`,
}

var calls = []string{`and`, `or`, `not`, `len`, `index`, `slice`, `print`, `printf "%v|%v"`, `printf "%5s"`, `println`, `html`, `js`, `urlquery`, `eq`, `ne`, `lt`, `le`, `gt`, `ge`}

func expression(r *rand.Rand, depth int) string {
	if depth == 0 || r.Intn(3) == 0 {
		return pick(r, words)
	}
	var b strings.Builder
	if r.Intn(5) == 0 {
		b.WriteString(pick(r, words) + " | ")
	}
	b.WriteString(pick(r, calls))
	for n := 1 + r.Intn(3); n > 0; n-- {
		if depth > 1 && r.Intn(3) == 0 {
			b.WriteString(" (" + expression(r, depth-1) + ")")
		} else {
			b.WriteString(" " + pick(r, words))
		}
	}
	if r.Intn(5) == 0 {
		b.WriteString(" | " + pick(r, calls))
	}
	return b.String()
}

func body(r *rand.Rand, depth int) string {
	var b strings.Builder
	open := func() string { return pick(r, []string{"{{", "{{ ", "{{- ", " {{- "}) }
	end := func() string { return pick(r, []string{"}}", " }}", " -}}", " -}} "}) }
	for n := 1 + r.Intn(3); n > 0; n-- {
		switch k := r.Intn(9); {
		case k < 3 || depth == 0:
			b.WriteString(open() + expression(r, 2) + end())
		case k == 3:
			b.WriteString(open() + "$x := " + expression(r, 1) + end() + "{{ $x }}")
		case k == 4:
			b.WriteString(open() + "if " + expression(r, 2) + end() + body(r, depth-1) + open() + "else" + end() + body(r, depth-1) + open() + "end" + end())
		case k == 5:
			b.WriteString(open() + "with " + expression(r, 1) + end() + body(r, depth-1) + open() + "end" + end())
		case k == 6:
			b.WriteString(open() + "range $i, $x := " + pick(r, []string{".First.list", ".First.map", ".Meta.items", ".First.nums", ".First.absent", expression(r, 1)}) + end() + "{{ $i }}" + body(r, depth-1) + "{{ $x }}" + open() + "end" + end())
		case k == 7:
			b.WriteString(open() + "range " + expression(r, 1) + end() + body(r, depth-1) + open() + "end" + end())
		default:
			b.WriteString(pick(r, []string{" text ", "\n", "\t", "я", "}", "{"}))
		}
	}
	return b.String()
}

func writeTemplate(r *rand.Rand) {
	var data any
	if err := json.Unmarshal([]byte(event), &data); err != nil {
		panic(err)
	}
	// join is not one of Go's own functions.
	join := func(between string, list any) (string, error) {
		items, ok := list.([]any)
		if !ok {
			return "", fmt.Errorf("join of %v", reflect.TypeOf(list))
		}
		var texts []string
		for _, item := range items {
			if item != nil {
				texts = append(texts, fmt.Sprint(item))
			}
		}
		return strings.Join(texts, between), nil
	}
	row("data", event, "")
	try := func(text string) {
		t, err := template.New("alert").Funcs(template.FuncMap{"join": join}).Parse(text)
		if err != nil {
			row(text, "parse", "!"+short(err))
			return
		}
		var b strings.Builder
		if err := t.Execute(&b, data); err != nil {
			row(text, "run", "!"+short(err))
			return
		}
		row(text, "good", "="+b.String())
	}
	for _, text := range templates {
		try(text)
	}
	for _, text := range []string{`{{ .First.list | join ", " }}`, `{{ join "-" .Meta.users }}`, `{{ .First.none | join "," }}`, `{{ join "," .Meta.users | len }}`} {
		try(text)
	}
	for i := 0; i < 2500; i++ {
		try("{{ $x := .Meta.risk }}" + body(r, 2))
	}
	for i := 0; i < 1200; i++ {
		text := []rune(pick(r, templates))
		if r.Intn(2) == 0 {
			text = []rune(body(r, 1))
		}
		for n := 1 + r.Intn(2); n > 0 && len(text) > 0; n-- {
			at := r.Intn(len(text))
			signs := []rune("{}|()$.:=\"'`-+ ,1ax\\")
			switch r.Intn(3) {
			case 0:
				text = append(text[:at], text[at+1:]...)
			case 1:
				text[at] = signs[r.Intn(len(signs))]
			default:
				text = append(text[:at], append([]rune{signs[r.Intn(len(signs))]}, text[at:]...)...)
			}
		}
		try(string(text))
	}
}

// What an error says behind its place.
func short(err error) string {
	text := err.Error()
	if _, after, found := strings.Cut(text, ">: "); found {
		text = after
	}
	if len(text) > 120 {
		text = text[:120]
	}
	return strings.ToValidUTF8(text, "")
}
