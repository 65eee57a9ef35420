// client PORT COUNT: sends events, each of which the server must acknowledge.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/fluent/fluent-logger-golang/fluent"
)

func main() {
	port, _ := strconv.Atoi(os.Args[1])
	count, _ := strconv.Atoi(os.Args[2])
	client, err := fluent.New(fluent.Config{
		FluentHost: "127.0.0.1", FluentPort: port, RequestAck: true, SubSecondPrecision: true,
		ReadTimeout: 20 * time.Second,
	})
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	for n := 0; n < count; n++ {
		deep := map[string]any{"list": []any{1, nil, true, 1.5}}
		record := map[string]any{"n": n, "text": "žluť", "deep": deep}
		if err := client.PostWithTime("go", time.Unix(1607618046, 500000000), record); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
	}
	client.Close()
	fmt.Println("sent")
}
