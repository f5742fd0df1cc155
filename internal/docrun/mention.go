package docrun

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Mention is a command in running text or in a table.
type Mention struct {
	Line int
	Text string
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

// program matches the names that make a span of code count as a command.
var program = regexp.MustCompile(
	`^(hawser|crm|pcs|cibadmin|crm_\w+|corosync-\w+|attrd_updater|stonith_admin|systemctl|journalctl|` +
		`apt|apt-get|setup-balancer|curl|apt-mark|dpkg|rpm|dnf|ssh|scp|haproxy|nft|ufw|firewall-cmd|` +
		`reboot|sbd)$`)

// mentions collects the commands of a line. A name alone is no command.
func (p *parser) mentions(n int, line string) {
	for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
		if words := strings.Fields(m[1]); len(words) > 1 && program.MatchString(words[0]) {
			p.mentioned = append(p.mentioned, Mention{n, strings.Join(words, " ")})
		}
	}
}

// unrun returns an error for each command in the text that no block of the page runs.
func (p Page) unrun() error {
	var faults []error
	for _, m := range p.Mentions {
		if !slices.ContainsFunc(p.Steps, func(s Step) bool {
			return s.Kind == Script && strings.Contains(" "+blanks(s.Text)+" ", " "+m.Text+" ")
		}) {
			faults = append(faults, fmt.Errorf("%s:%d: no block of this page runs `%s`", p.Name, m.Line,
				m.Text))
		}
	}
	return errors.Join(faults...)
}
