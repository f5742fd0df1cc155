package pulse

import (
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/internal/procfs"
)

func TestSince(t *testing.T) {
	at := time.Now()
	before := Pulse{at: at, times: procfs.Times{Ran: time.Minute, Waited: time.Minute},
		effort: procfs.Effort{Sleeps: 7, System: time.Second}}
	for name, tc := range map[string]struct {
		change func(*Pulse)
		sign   Sign
	}{
		"nothing happened":              {func(*Pulse) {}, Still},
		"it went to sleep":              {func(p *Pulse) { p.effort.Sleeps++ }, Alive},
		"an endless loop":               {func(p *Pulse) { p.times.Ran += time.Second }, Still},
		"it waits for a disk":           {func(p *Pulse) { p.effort.Uninterruptible = true }, Hindered},
		"it keeps the kernel busy":      {func(p *Pulse) { p.effort.System += 50 * time.Millisecond }, Hindered},
		"a tick in the kernel":          {func(p *Pulse) { p.effort.System += 10 * time.Millisecond }, Still},
		"it is hardly let run":          {func(p *Pulse) { p.times.Waited += 800 * time.Millisecond }, Hindered},
		"it shares with others and ran": {func(p *Pulse) { p.times.Waited += 600 * time.Millisecond; p.times.Ran += 400 * time.Millisecond }, Still},
		"it is gone":                    {func(p *Pulse) { *p = Pulse{at: p.at} }, Still},
	} {
		now := before
		now.at = at.Add(time.Second)
		tc.change(&now)
		require.Equal(t, tc.sign, now.Since(before), name)
	}
}

// A process that waits for connections wakes up for one; one that has only a socket does not.
func TestPoke(t *testing.T) {
	l, err := net.Listen("tcp", "0.0.0.0:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	file, err := l.(*net.TCPListener).File()
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	run := func(name string, args ...string) int {
		cmd := exec.Command(needs.Command(t, name), args...)
		cmd.ExtraFiles = []*os.File{file}
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		return cmd.Process.Pid
	}
	deaf := run("sleep", "1000")
	require.Eventually(t, func() bool { return procfs.Default.Name(deaf) == "sleep" }, 10*time.Second,
		time.Millisecond)
	// it has gone to sleep for good
	for before := Take(deaf); ; before = Take(deaf) {
		time.Sleep(10 * time.Millisecond)
		if before.effort.Sleeps > 0 && Take(deaf).Since(before) == Still {
			break
		}
	}
	require.False(t, LivesWhenPoked(t.Context(), deaf))

	mine, err := net.Listen("tcp", "[::]:0")
	require.NoError(t, err)
	defer func() { _ = mine.Close() }()
	go func() { // this one waits for them
		for {
			conn, err := mine.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	require.True(t, LivesWhenPoked(t.Context(), os.Getpid()))
}
