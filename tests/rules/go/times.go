package main

import (
	"fmt"
	"math/rand"
	"strings"
	"time"
)

func writeDuration(r *rand.Rand) {
	try := func(text string) {
		d, err := time.ParseDuration(text)
		if err != nil {
			row(text, "error", "")
			return
		}
		row(text, fmt.Sprint(int64(d)), d.String())
	}
	for _, text := range []string{
		"", "0", "+0", "-0", "-", "+", ".", "1", "1s", "10m", "1h30m", "500ms", "1.5s", ".5s", "1.s", "-.5s", "1d", "1w", "s", "1 s", " 1s", "1s ", "1m1", "1us", "1µs", "1μs", "1ns", "1.5ns", "0.1ns",
		"1h1m1s1ms1us1ns", "1s1h", "1s1s", "1..5s", "1.5.5s", "1e3s", "1S", "1M", "1H", "--1s", "+-1s", "9223372036854775807ns", "9223372036854775808ns", "-9223372036854775808ns", "-9223372036854775809ns",
		"2562047h47m16.854775807s", "2562047h47m16.854775808s", "-2562047h47m16.854775808s", "9223372036854775.808us", "99999999999999999999s", "0.9223372036854775807h", "0.99999999999999999999999s",
		"3.141592653589793h", "1.123456789123456789m", "100000000000000000000000h", "0s", "0.0h", "00001s", "1٣s", "я", "1я", "1ms1", "1h-1m", "33ms", "59s", "60s", "3600s", "90m", "24h", "1000000us", "999ns", "1000ns", "0.000001ms",
	} {
		try(text)
	}
	units := []string{"ns", "us", "µs", "ms", "s", "m", "h", "d", "", "S"}
	for i := 0; i < 500; i++ {
		var b strings.Builder
		if r.Intn(6) == 0 {
			b.WriteString(pick(r, []string{"-", "+"}))
		}
		for n := 1 + r.Intn(3); n > 0; n-- {
			switch r.Intn(4) {
			case 0:
				fmt.Fprintf(&b, "%d.%d", r.Intn(100), r.Intn(1000000000))
			case 1:
				fmt.Fprintf(&b, ".%d", r.Int63())
			default:
				fmt.Fprintf(&b, "%d", r.Intn(100000))
			}
			unit := pick(r, units[:7])
			if r.Intn(20) == 0 {
				unit = pick(r, units)
			}
			b.WriteString(unit)
		}
		try(b.String())
	}
}

var layouts = []string{
	time.RFC3339Nano, time.RFC3339, time.ANSIC, time.UnixDate, time.RubyDate, time.RFC822, time.RFC822Z, time.RFC850, time.RFC1123, time.RFC1123Z, time.Kitchen, time.Stamp, time.StampMilli, time.StampMicro, time.StampNano,
	time.DateTime, time.DateOnly, time.TimeOnly,
	"2006-01-02 15:04:05", "2006-01-02 15:04:05.000", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05.999-07", "02/Jan/2006:15:04:05 -0700", "Jan _2 2006 15:04:05", "2006-002", "2006-__2 15:04", "20060102150405", "06-1-2 3:4:5 PM", "3:04pm 2 January 2006",
	"Monday, January 2 2006", "2006-01-02 15:04:05,000", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 Z07:00:00", "2006-01-02 15:04:05 -070000", "2006-01-02 15:04:05Z07", "_2006 Januar 01", "Mon Month Jane", "15h04m05s 2006", "2006-01-02  15:04", " 2006-01-02", "01 002 2006", "15:04:05.000000 2006",
	"2006.01.02 15.04.05.999", "Mon, _2 Jan 06 15:04:05 -07:00",
}

var moments = []string{
	"2024-05-01T10:00:00Z", "2024-05-01T10:00:00.5Z", "2024-05-01T10:00:00,5Z", "2024-05-01T10:00:00.123456789123+03:00", "2024-05-01T1:00:00Z", "2024-05-01T24:00:00Z", "2024-05-01T10:00:60Z", "2024-02-30T10:00:00Z", "2024-02-29T10:00:00Z", "2023-02-29T10:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
	"2024-05-01T10:00:00", "2024-05-01T10:00:00+3", "2024-05-01T10:00:00+24:00", "2024-05-01T10:00:00+25:00", "2024-05-01T10:00:00+23:60", "2024-05-01T10:00:00+23:61", "2024-05-01T10:00:00-00:00", "2024-05-01t10:00:00z", "2024-05-01 10:00:00Z", "2024-05-01T10:00:00ZZ", " 2024-05-01T10:00:00Z", "+024-05-01T10:00:00Z", "2024-13-01T10:00:00Z", "2024-00-01T10:00:00Z", "2024-05-00T10:00:00Z", "2024-05-01T10:60:00Z", "2024-05-01T10:00:00.Z", "", "x", "2024-05-01T10:00:00.1234567891Z",
}

func writeTime(r *rand.Rand) {
	try := func(layout, text string) {
		t, err := time.ParseInLocation(layout, text, time.UTC)
		if err != nil {
			row(layout, text, "error")
			return
		}
		row(layout, text, fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()))
	}
	for _, text := range moments {
		try(time.RFC3339Nano, text)
		try(time.RFC3339, text)
		try("2006-01-02T15:04:05.000Z07:00", text)
	}
	zones := []*time.Location{time.UTC, time.FixedZone("MSK", 3*3600), time.FixedZone("GMT-5", -5*3600), time.FixedZone("", 5*3600+1800), time.FixedZone("ChST", 36000), time.FixedZone("X", -1), time.FixedZone("ABCDT", 60), time.FixedZone("+03", 10800)}
	for _, layout := range layouts {
		for i := 0; i < 25; i++ {
			t := time.Unix(r.Int63n(4e9)-1e9, r.Int63n(1e9)).In(zones[r.Intn(len(zones))])
			text := t.Format(layout)
			try(layout, text)
			b := []byte(text)
			if len(b) == 0 {
				continue
			}
			at := r.Intn(len(b))
			switch r.Intn(4) {
			case 0:
				b = append(b[:at], b[at+1:]...)
			case 1:
				b[at] = "0123456789 -+:.,TZaPMZ"[r.Intn(22)]
			case 2:
				b = append(b[:at], append([]byte{"0123456789 -+:.,TZapM"[r.Intn(21)]}, b[at:]...)...)
			default:
				b = []byte(strings.ToUpper(text))
			}
			try(layout, string(b))
		}
		try(layout, t0.Format(pick(r, layouts)))
	}
}

var t0 = time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)
