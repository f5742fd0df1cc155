package corosync

import (
	"context"
	"strings"
)

// Keys are the entries of Corosync's database by their names.
type Keys map[string]string

// AskKeys asks the Corosync of this node for its configuration and state.
func AskKeys(ctx context.Context) (Keys, error) { return askKeys(ctx, "corosync-cmapctl") }

// AskStats asks it for its statistics: of each link to each node, whether it is connected.
func AskStats(ctx context.Context) (Keys, error) {
	return askKeys(ctx, "corosync-cmapctl", "-m", "stats")
}

func askKeys(ctx context.Context, name string, args ...string) (Keys, error) {
	text, err := ask(ctx, name, args...)
	if err != nil {
		return nil, err
	}
	return ParseKeys(text), nil
}

// ParseKeys reads lines such as "totem.token (u32) = 300".
func ParseKeys(text string) Keys {
	keys := Keys{}
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(strings.TrimRight(line, "\n"), " (")
		if _, value, set := strings.Cut(rest, ") = "); ok && set {
			keys[name] = value
		}
	}
	return keys
}
