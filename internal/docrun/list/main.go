// Command list prints the commands of pages and where they are run.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/hawser-ha/hawser/internal/docrun"
)

func main() {
	where := flag.String("where", "", "only those that need this `PLACE`: lab or guest")
	asJSON := flag.Bool("json", false, "print a JSON object for each")
	flag.Parse()
	if err := list(flag.Args(), docrun.Place(*where), *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func list(pages []string, where docrun.Place, asJSON bool) error {
	for _, path := range pages {
		page, err := docrun.Read(path)
		if err != nil {
			return err
		}
		for _, s := range page.Steps {
			if where != "" && s.Place != where {
				continue
			}
			if asJSON {
				if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
					return err
				}
				continue
			}
			fmt.Printf("%s: in %s on %s, exit code %d %s\n\t%s\n", s.At(), s.Place, s.On, s.Exit,
				s.Path, strings.ReplaceAll(s.Text, "\n", "\n\t"))
		}
	}
	return nil
}
