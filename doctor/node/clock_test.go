package node

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/needs"
)

var peers = []Peer{
	{
		Name: "lb-2",
		Addresses: []netip.Addr{
			netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("198.51.100.2"),
		},
	},
}

func TestClocks(t *testing.T) {
	type answer struct {
		offset, within time.Duration
		err            error
	}
	silent := answer{err: errors.New("no answer")}
	for _, c := range []struct {
		name          string
		first, second answer
		want          doctor.Severity
		says          string
	}{
		{"right", answer{offset: 20 * time.Millisecond, within: time.Millisecond}, silent, "", ""},
		{
			"within what the way there takes",
			answer{offset: 3 * time.Second, within: 2900 * time.Millisecond}, silent, "", "",
		},
		{
			"ahead", answer{offset: 2 * time.Second, within: time.Millisecond}, silent,
			doctor.Warning, "lb-2 is 2s ahead of",
		},
		{
			"far behind", answer{offset: -time.Hour, within: time.Millisecond}, silent,
			doctor.Error, "1h0m0s behind",
		},
		{
			"the second link answers", silent, answer{offset: 5 * time.Second}, doctor.Warning,
			"5s ahead of",
		},
		{"nobody answers", silent, silent, doctor.Note, "198.51.100.2: no answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := &Clock{
				Peers: func(context.Context) ([]Peer, error) { return peers, nil },
				Offset: func(
					_ context.Context, at netip.Addr,
				) (offset, within time.Duration, err error) {
					a := c.first
					if at == peers[0].Addresses[1] {
						a = c.second
					}
					return a.offset, a.within, a.err
				},
				Synchronised: func() (bool, error) { return true, nil },
			}
			r := doctor.Run(t.Context(), clock.Checks())
			require.Equal(t, c.want, r.Worst(), "%+v", r)
			if c.want != "" {
				require.Len(t, r.Findings, 1)
				require.Contains(t, r.Findings[0].What, c.says)
				require.NotEmpty(t, r.Findings[0].Fix)
			}
		})
	}
}

func TestUnsynchronisedClock(t *testing.T) {
	clock := &Clock{
		Peers:        func(context.Context) ([]Peer, error) { return nil, nil },
		Synchronised: func() (bool, error) { return false, nil },
	}
	r := doctor.Run(t.Context(), clock.Checks())
	require.Len(t, r.Findings, 1)
	require.Equal(t, doctor.Warning, r.Findings[0].Severity)
	clock.Synchronised = func() (bool, error) { return false, errors.New("no") }
	r = doctor.Run(t.Context(), clock.Checks())
	require.Equal(t, doctor.Unknown, r.Worst())
	_, err := KernelSynchronised()
	require.NoError(t, err)
}

// A link that does not answer until the end leaves time for the other one.
func TestClockBySecondLink(t *testing.T) {
	clock := &Clock{
		Peers: func(context.Context) ([]Peer, error) { return peers, nil },
		Offset: func(ctx context.Context, at netip.Addr) (time.Duration, time.Duration, error) {
			if at == peers[0].Addresses[0] {
				<-ctx.Done()
			}
			return time.Minute, time.Millisecond, ctx.Err()
		},
		Synchronised: func() (bool, error) { return true, nil },
	}
	r := doctor.Run(t.Context(), clock.Checks())
	require.Len(t, r.Findings, 1)
	require.Contains(t, r.Findings[0].What, "1m0s ahead")
}

// TestNobodyToAsk is unknown, not fine.
func TestNobodyToAsk(t *testing.T) {
	clock := &Clock{
		Peers: func(context.Context) ([]Peer, error) {
			return nil, errors.New("Corosync " +
				"does not answer")
		},
		Synchronised: func() (bool, error) { return true, nil },
	}
	r := doctor.Run(t.Context(), clock.Checks())
	require.Equal(t, doctor.Unknown, r.Worst())
}

// scripted answers ICMP's timestamp questions in memory, with a clock of its own.
type scripted struct {
	net.Conn
	now     func() time.Time
	ahead   time.Duration
	answers [][]byte
	mangle  func([]byte)
}

func (s *scripted) SetDeadline(time.Time) error { return nil }

func (s *scripted) Write(b []byte) (int, error) {
	other := append([]byte(nil), b...) // what another program was answered
	other[0] = icmpTimestampReply
	other[4]++
	reply := append([]byte(nil), b...)
	reply[0] = icmpTimestampReply
	at := uint32(sinceMidnight(s.now().Add(s.ahead)).Milliseconds())
	binary.BigEndian.PutUint32(reply[12:], at)
	binary.BigEndian.PutUint32(reply[16:], at)
	if s.mangle != nil {
		s.mangle(reply)
	}
	s.answers = append(s.answers, other, reply)
	return len(b), nil
}

func (s *scripted) Read(b []byte) (int, error) {
	n := copy(b, s.answers[0])
	s.answers = s.answers[1:]
	return n, nil
}

func TestExchange(t *testing.T) {
	for _, c := range []struct {
		name  string
		now   string
		ahead time.Duration
	}{
		{"the same", "2026-11-21T12:00:00Z", 0},
		{"ahead", "2026-11-21T12:00:00Z", 7 * time.Second},
		{"behind", "2026-11-21T12:00:00Z", -7 * time.Second},
		{"past midnight there", "2026-11-21T23:59:59Z", 3 * time.Second},
		{"not yet midnight there", "2026-11-21T00:00:01Z", -3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, c.now)
			require.NoError(t, err)
			now := func() time.Time { return at }
			offset, within, err := exchange(t.Context(), &scripted{
				now: now, ahead: c.ahead,
			}, 7, 1, now)
			require.NoError(t, err)
			require.Equal(t, c.ahead, offset)
			require.Equal(t, time.Millisecond, within)
		})
	}
	_, _, err := exchange(t.Context(), &scripted{
		now: time.Now, mangle: func(b []byte) { b[16] |= 0x80 },
	}, 7, 1, time.Now)
	require.ErrorContains(t, err, "not one since midnight")
}

// TestKernelAnswers asks this machine's own kernel.
func TestKernelAnswers(t *testing.T) {
	needs.Root(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	offset, within, err := ICMPOffset(ctx, netip.MustParseAddr("127.0.0.1"))
	require.NoError(t, err)
	require.LessOrEqual(t, offset.Abs(), within+time.Millisecond)
	_, _, err = ICMPOffset(ctx, netip.IPv6LinkLocalAllNodes())
	require.ErrorContains(t, err, "IPv6")
}
