package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/hawser-ha/hawser/internal/metadata"
	"github.com/hawser-ha/hawser/ocf"
)

// fetchMetadata asks the metadata service for one address, which must be this node's. If that fails,
// its last answer since boot is used: its answers do not change while a machine runs.
func (in *Instance) fetchMetadata(ctx context.Context, v addressVariable,
	remember bool) (netip.Addr, error) {
	addr, err := fetchAddr(ctx, metadata.New(in.MetadataURL), v.path)
	if err == nil {
		if err = in.checkOwn(addr); err != nil {
			err = fmt.Errorf("the metadata service says %s is %s: %w", v.path, addr, err)
		}
	}
	if err == nil {
		if remember {
			in.keepAnswer(v.name, addr)
		}
		return addr, nil
	}
	if remember {
		if addr, ok := in.lastAnswer(v.name); ok && in.checkOwn(addr) == nil {
			ocf.CallFrom(ctx).Warnf("%s is taken from the metadata service's last answer, %s: %v",
				v.name, addr, err)
			return addr, nil
		}
	}
	return netip.Addr{}, err
}

// fetchAddr asks for something that is an address and nothing else.
func fetchAddr(ctx context.Context, m *metadata.Client, key string) (netip.Addr, error) {
	text, err := m.Get(ctx, key)
	if err != nil {
		return netip.Addr{}, err
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the metadata service says %s is %.60q, which is no "+
			"address", key, text)
	}
	return addr, nil
}

// keepAnswer saves an answer. A failure to do so does not prevent a start.
func (in *Instance) keepAnswer(variable string, addr netip.Addr) {
	answers := in.answers()
	answers[variable] = addr
	if text, err := json.Marshal(answers); err == nil {
		_ = writeFile(in.Metadata(), text)
	}
}

func (in *Instance) lastAnswer(variable string) (netip.Addr, bool) {
	addr, ok := in.answers()[variable]
	return addr, ok
}

func (in *Instance) answers() map[string]netip.Addr {
	answers := map[string]netip.Addr{}
	text, err := os.ReadFile(in.Metadata())
	if errors.Is(err, os.ErrNotExist) || json.Unmarshal(text, &answers) != nil || answers == nil {
		return map[string]netip.Addr{}
	}
	return answers
}
