// The bodies of benches/rules.rs in gopher-lua, over parsed events, on one core.
package main

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

type event map[string]any

func walk(e event, path string) any {
	var at any = e
	for _, part := range strings.Split(path, ".") {
		m, ok := at.(event)
		if !ok {
			return nil
		}
		at = m[part]
	}
	return at
}

func get(l *lua.LState) int {
	e := l.CheckUserData(1).Value.(event)
	text, ok := walk(e, l.CheckString(2)).(string)
	if !ok {
		l.Push(lua.LNil)
		return 1
	}
	l.Push(lua.LString(text))
	return 1
}

func main() {
	runtime.GOMAXPROCS(1)
	bodies := [][2]string{
		{"field", `function on_logline(e) if e:get('observer.event.id') == '4688' then print('x') end end`},
		{"search", `function on_logline(e) if search(e:get('initiator.command.executed'):lower(), '(?i)mimikatz|sekurlsa') then print('x') end end`},
	}
	events := make([]event, 1000)
	for n := range events {
		events[n] = event{
			"observer":  event{"event": event{"id": "4689"}},
			"initiator": event{"command": event{"executed": fmt.Sprintf(`C:\Windows\System32\CMD.exe /c whoami %d`, n)}},
		}
	}
	known := map[string]*regexp.Regexp{}
	for _, body := range bodies {
		l := lua.NewState()
		l.SetGlobal("search", l.NewFunction(func(l *lua.LState) int {
			pattern := l.CheckString(2)
			found, ok := known[pattern]
			if !ok {
				found = regexp.MustCompile(pattern)
				known[pattern] = found
			}
			l.Push(lua.LBool(found.MatchString(l.CheckString(1))))
			return 1
		}))
		meta := l.NewTypeMetatable("event")
		l.SetField(meta, "__index", l.SetFuncs(l.NewTable(), map[string]lua.LGFunction{"get": get}))
		if err := l.DoString(body[1]); err != nil {
			panic(err)
		}
		on := l.GetGlobal("on_logline")
		rounds := 500
		start := time.Now()
		for range rounds {
			for _, e := range events {
				value := l.NewUserData()
				value.Value = e
				value.Metatable = meta
				if err := l.CallByParam(lua.P{Fn: on, Protect: true}, value); err != nil {
					panic(err)
				}
			}
		}
		took := time.Since(start)
		fmt.Printf("%s: %.0f events/s\n", body[0], float64(rounds*len(events))/took.Seconds())
	}
}
