package report

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// compared names the rows that README.md and the demonstration show.
var compared = [...]struct{ label, section, what string }{
	{"HAProxy is killed", SectionCrash, "HAProxy killed -9"},
	{"HAProxy is stopped (STOP)", SectionCrash, "HAProxy hangs (SIGSTOP)"},
	{"the active node is rebooted", SectionMoves, "reboot of the active node, new connections"},
	{"the active node loses power", SectionLost, "power cut, hawser, the lost node the DC"},
}

// Comparison writes the outages that a client sees, next to keepalived's, as a table of at most 80
// columns. An error names a row that was not measured.
func (k *Kept) Comparison(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "\thawser\tkeepalived\tkeepalived, tuned")
	for _, c := range compared {
		r, err := k.row(c.section, c.what)
		if err != nil {
			return err
		}
		if len(r.Theirs) != 2 {
			return fmt.Errorf("report: %q has %d peers, not 2: keepalived, and keepalived tuned",
				c.what, len(r.Theirs))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", c.label, seconds(r.Ours), seconds(r.Theirs[0]),
			seconds(r.Theirs[1]))
	}
	return t.Flush()
}

func (k *Kept) row(section, what string) (Row, error) {
	for _, r := range k.Rows {
		if r.Section == section && r.What == what {
			return r, nil
		}
	}
	return Row{}, fmt.Errorf("report: %s: %q was not measured", section, what)
}

// seconds writes a figure in milliseconds as seconds, to two significant digits.
func seconds(f Figure) string {
	if s := f.Value / 1000; s < 1 {
		return fmt.Sprintf("%.2f s", s)
	}
	return fmt.Sprintf("%.1f s", f.Value/1000)
}
