package machines

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/internal/words"
)

// Print is the steps for somebody who carries them out by hand: on which machine, which file he
// needs there, and what he types, as root.
func Print(steps []Step) string {
	var b strings.Builder
	last := ""
	written := map[*Text]string{}
	for i, s := range steps {
		if s.On != last {
			fmt.Fprintf(&b, "### On %s, as root\n\n", s.On)
			last = s.On
		}
		fmt.Fprintf(&b, "# %d. %s\n", i+1, s.Does)
		line := s.Line
		if s.Input != nil {
			if s.Input.Bytes == nil || s.Input.Secret {
				fmt.Fprintf(&b, "# needs %s: copy it from %s, where it was written\n", s.Input.Name,
					written[s.Input])
			} else {
				fmt.Fprintf(&b, "cat >%s <<'END-OF-FILE'\n%s", Quote(s.Input.Name), s.Input.Bytes)
				if !bytes.HasSuffix(s.Input.Bytes, []byte("\n")) {
					b.WriteString("\n")
				}
				b.WriteString("END-OF-FILE\n")
			}
			if s.Kept {
				fmt.Fprintf(&b, "cp -p %s %s\n", Quote(s.Into), Quote(s.Into+".old"))
			}
			place := fmt.Sprintf("install -D -m %s %s %s", s.Mode, Quote(s.Input.Name), Quote(s.Into))
			if s.Input.Secret {
				place += " && rm " + Quote(s.Input.Name)
			}
			b.WriteString(broken(place) + "\n")
		}
		if s.Output != nil {
			written[s.Output] = s.On
			if strings.Contains(line, " && ") {
				line = "{ " + line + "; }"
			}
			line += " >" + Quote(s.Output.Name)
			if s.Output.Secret {
				line = "(umask 077; " + line + ")"
			}
		}
		if s.Until {
			b.WriteString("# until it succeeds:\n")
		}
		if line != "" {
			b.WriteString(broken(line) + "\n")
		}
		b.WriteString("\n")
	}
	for _, s := range steps {
		if s.Output != nil && s.Output.Secret {
			fmt.Fprintf(&b, "# Last, on %s: what was copied holds a key.\nrm %s\n", s.On,
				Quote(s.Output.Name))
		}
	}
	return b.String()
}

// broken is a command line in lines that fit a terminal, if it can be.
func broken(line string) string {
	if len(line) <= words.Screen {
		return line
	}
	return strings.ReplaceAll(line, " && ", " &&\n  ")
}
