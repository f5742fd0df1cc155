package floatip

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hawser-ha/hawser/internal/fault"
	"github.com/hawser-ha/hawser/internal/tokenfile"
	"github.com/hawser-ha/hawser/ocf"
)

// session is an action's view of the address: the provider that moves it, and what is remembered
// about it.
type session struct {
	settings
	call     *ocf.Call
	driver   driver
	provider Provider
	memory   *memory
}

// errNoAddress is the error of an action that has no address to work on.
var errNoAddress = errors.New("parameter ip is not set or wrong, and nothing was started here")

// open finds out which address the action is about: what the parameters say or, for a stop or a
// probe, which must work even if the parameters have been changed or broken since, what it was
// started with.
func (a *agent) open(ctx context.Context, asStarted bool) (*session, error) {
	call := ocf.CallFrom(ctx)
	s := &session{settings: a.settings, call: call, memory: recall(call.Dir)}
	started := s.memory.Started
	if asStarted && started.IP.IsValid() && (!s.IP.IsValid() || s.IP == started.IP) {
		s.settings = started
		if a.TokenFile != "" {
			s.TokenFile = a.TokenFile // the old one may be gone
		}
	}
	if !s.IP.IsValid() {
		return nil, errNoAddress
	}
	for _, d := range a.drivers {
		if d.name == s.Provider {
			s.driver = d
			s.provider = d.open(s.settings, s.call, s.token(a.token))
			return s, nil
		}
	}
	return nil, fmt.Errorf("no provider is called %q", s.Provider)
}

// token reads the token when it is needed. Main already treats a token in a parameter as a secret;
// one from a file is registered here.
func (s *session) token(parameter string) func() (string, error) {
	return func() (string, error) {
		if s.TokenFile == "" {
			if parameter == "" {
				return "", fault.Errorf(fault.NotInstalled,
					"no token is set: name the file that holds it in token_file")
			}
			return tokenfile.Parse("the parameter token", []byte(parameter))
		}
		token, err := tokenfile.Read(s.TokenFile)
		s.call.Redact(token)
		return token, err
	}
}

// certain queries the authoritative source whether the address is here.
func (s *session) certain(ctx context.Context) (bool, error) {
	if local, ok := s.provider.(Local); ok && !s.driver.exclusive {
		return local.Here(ctx, s.IP)
	}
	self, err := s.provider.Self(ctx)
	if err != nil {
		return false, err
	}
	holder, err := s.provider.Holder(ctx, s.IP)
	return err == nil && holder == self, err
}

// here queries the cheapest source.
func (s *session) here(ctx context.Context) (bool, error) {
	if local, ok := s.provider.(Local); ok {
		return local.Here(ctx, s.IP)
	}
	return s.certain(ctx)
}

// part returns a context for an attempt after which there must be time left: it gets a share of the
// remaining time, and no more than the limit.
func part(ctx context.Context, limit time.Duration, share float64) (context.Context,
	context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Duration(float64(time.Until(deadline))*share))
	}
	return context.WithTimeout(ctx, limit)
}
