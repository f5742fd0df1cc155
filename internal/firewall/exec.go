package firewall

import (
	"context"
	"os/exec"
	"strings"
	"time"
)

// legacySave prints the rules of the older ip_tables (iptables-save(8)).
var legacySave = []string{"/usr/sbin/iptables-legacy-save", "/usr/sbin/ip6tables-legacy-save"}

// legacyIsEmpty says whether the tables of the older ip_tables hold no rule and let everything
// pass: merely listing a table creates it. If that cannot be found out, it counts as not empty.
func legacyIsEmpty() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, tool := range legacySave {
		out, err := exec.CommandContext(ctx, tool).Output()
		if err != nil || !harmless(string(out)) {
			return false
		}
	}
	return true
}

// harmless reads what iptables-save prints: comments, "*filter", ":INPUT ACCEPT [0:0]", rules and
// COMMIT.
func harmless(saved string) bool {
	for line := range strings.Lines(saved) {
		if strings.HasPrefix(line, "-") ||
			strings.HasPrefix(line, ":") && !strings.Contains(line, " ACCEPT ") &&
				!strings.Contains(line, " - ") {
			return false
		}
	}
	return true
}
