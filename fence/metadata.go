package fence

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/hawser-ha/hawser/param"
)

// The metadata, after fence-agents' lib/metadata.rng.
type metadata struct {
	XMLName xml.Name     `xml:"resource-agent"`
	Name    string       `xml:"name,attr"`
	Short   string       `xml:"shortdesc,attr"`
	Long    param.Text   `xml:"longdesc"`
	URL     string       `xml:"vendor-url"`
	Params  []metaParam  `xml:"parameters>parameter"`
	Actions []metaAction `xml:"actions>action"`
}

type metaParam struct {
	Name       string `xml:"name,attr"`
	Unique     string `xml:"unique,attr"`
	Required   string `xml:"required,attr"`
	Deprecated string `xml:"deprecated,attr,omitempty"`
	Obsoletes  string `xml:"obsoletes,attr,omitempty"`
	Getopt     struct {
		Mixed string `xml:"mixed,attr"`
	} `xml:"getopt"`
	Content param.Content `xml:"content"`
	Short   param.Text    `xml:"shortdesc"`
}

type metaAction struct {
	Name      string `xml:"name,attr"`
	Automatic string `xml:"automatic,attr,omitempty"`
}

func (a *Agent) writeMetadata(w io.Writer, params []Param) error {
	doc := metadata{Name: a.Name, Short: a.Short, Long: param.PlainText(a.Long), URL: a.URL}
	for _, p := range params {
		m := p.metadata(p.Name)
		// which FenceAgentAPI.md wants taken and nobody told of
		if p.Old != "" && p.Old != "option" {
			old := p.metadata(p.Old)
			old.Required, old.Deprecated = "0", "1"
			m.Obsoletes = p.Old
			doc.Params = append(doc.Params, old)
		}
		doc.Params = append(doc.Params, m)
	}
	for _, name := range actionNames() {
		m := metaAction{Name: name}
		if name == "on" {
			m.Automatic = "0" // a machine that joins is not to be switched on for it
		}
		doc.Actions = append(doc.Actions, m)
	}
	return param.WriteMetadata(w, "<?xml version=\"1.0\" ?>\n", "\t", doc)
}

func (p Param) metadata(name string) metaParam {
	m := metaParam{
		Name: name, Unique: "0", Required: "0", Content: param.ContentOf(p.Value),
		Short: param.English(p.Text),
	}
	if p.Required {
		m.Required = "1"
	}
	m.Getopt.Mixed = p.mixed()
	return m
}

// writeHelp writes what an operator reads who runs the agent by hand.
func (a *Agent) writeHelp(w io.Writer, params []Param) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s [options]\n\n%s.\n\nWithout options, they are read from standard "+
		"input, one name=value on each line.\n\nOptions:\n",
		a.Name, a.Short)
	for _, p := range params {
		fmt.Fprintf(&b, "   %s\n", p.mixed())
		for _, line := range fold(p.describe(), 80-10) {
			fmt.Fprintf(&b, "          %s\n", line)
		}
	}
	b.WriteString("\nExit codes: 0 done, and of status: on; 1 failed, or the state is not known;\n" +
		"2 of status: off.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// describe returns the text with what else there is to know.
func (p Param) describe() string {
	s := p.Text
	if d := p.Value.String(); d != "" {
		s += " (default " + d + ")"
	}
	if p.Required {
		s += " (required)"
	}
	if p.Old != "" && p.Old != "option" {
		s += " (on standard input also: " + p.Old + ")"
	}
	return s
}

// fold breaks a text into lines of at most so many characters.
func fold(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// writeManual writes the man page, section 8, in man(7).
func (a *Agent) writeManual(w io.Writer, params []Param) error {
	var b strings.Builder
	text := func(s string) string {
		s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
		if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
			s = `\&` + s
		}
		return s
	}
	fmt.Fprintf(&b, ".TH %s 8 \"\" \"%s\" \"Fence agents\"\n.SH NAME\n%s \\- %s\n",
		strings.ToUpper(a.Name), text(a.Version), text(a.Name), text(a.Short))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n[options]\n.SH DESCRIPTION\n", text(a.Name))
	for _, paragraph := range strings.Split(a.Long, "\n\n") {
		fmt.Fprintf(&b, "%s\n.PP\n", text(strings.Join(fold(paragraph, 120), "\n")))
	}
	b.WriteString("Without options they are read from standard input, one name=value on each " +
		"line, which is how a cluster gives them.\n.SH OPTIONS\n")
	for _, p := range params {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s (name: %s)\n", text(p.mixed()), text(p.describe()),
			text(p.Name))
	}
	b.WriteString(".SH EXIT STATUS\n.TP\n.B 0\ndone; of status: on\n.TP\n.B 1\nfailed, or the " +
		"state is not known\n.TP\n.B 2\nof status: off\n")
	_, err := io.WriteString(w, b.String())
	return err
}
