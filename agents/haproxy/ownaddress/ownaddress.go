// Package ownaddress finds out an address of this node that HAProxy's configuration may mention: a
// metadata service is asked, and believed only where an interface of this node has the address.
//
// It imports ocf and leaves of internal. Start reading here; interfaces.go says which addresses are
// this node's.
package ownaddress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/hawser-ha/hawser/internal/atomicfile"
	"github.com/hawser-ha/hawser/internal/metadata"
	"github.com/hawser-ha/hawser/ocf"
)

// Service is a metadata service.
type Service struct {
	// URL is its origin.
	URL string
	// File keeps its answers since boot.
	File string
	// Own returns the addresses that it may call this node's.
	Own func() ([]netip.Addr, error)
}

// Ask asks for the address under a key, which must be this node's. With remember, the answer is kept
// for the variable, and if the service does not answer its last answer since boot is used: its answers
// do not change while a machine runs.
func (s Service) Ask(ctx context.Context, key, variable string,
	remember bool) (netip.Addr, error) {
	addr, err := s.fetch(ctx, key)
	if err == nil {
		if err = s.check(addr); err != nil {
			err = fmt.Errorf("the metadata service says %s is %s: %w", key, addr, err)
		}
	}
	if err == nil {
		if remember {
			s.keep(variable, addr)
		}
		return addr, nil
	}
	if remember {
		if addr, ok := s.answers()[variable]; ok && s.check(addr) == nil {
			ocf.CallFrom(ctx).Warnf("%s is taken from the metadata service's last answer, %s: %v",
				variable, addr, err)
			return addr, nil
		}
	}
	return netip.Addr{}, err
}

// fetch asks for something that is an address and nothing else.
func (s Service) fetch(ctx context.Context, key string) (netip.Addr, error) {
	text, err := metadata.New(s.URL).Get(ctx, key)
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

// keep saves an answer. A failure to do so does not prevent a start.
func (s Service) keep(variable string, addr netip.Addr) {
	answers := s.answers()
	if answers[variable] == addr {
		return
	}
	answers[variable] = addr
	if text, err := json.Marshal(answers); err == nil {
		_ = atomicfile.WriteOver(s.File, text, 0o600)
	}
}

func (s Service) answers() map[string]netip.Addr {
	answers := map[string]netip.Addr{}
	text, err := os.ReadFile(s.File)
	if errors.Is(err, os.ErrNotExist) || json.Unmarshal(text, &answers) != nil || answers == nil {
		return map[string]netip.Addr{}
	}
	return answers
}
