package protect

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
)

// TestKilled kills the process at every moment of its life, under load. Its guard releases what it
// held: nobody waits as long as for a retransmission.
func TestKilled(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8083)
	v4, v6 := startLoad(t, "http://127.0.0.1:8083/"), startLoad(t, "http://[::1]:8083/")
	before := retransmissions(t)
	const rounds = 60
	for i := range rounds {
		proc := p.command(t, Options{Match: Match{Ports: []uint16{8083}},
			MaxHold: 10 * time.Second}, "sleep", "0.2")
		require.NoError(t, proc.Start())
		// the moment is the test
		time.Sleep(time.Duration(i)*3*time.Millisecond +
			time.Duration(rand.IntN(3000))*time.Microsecond)
		require.NoError(t, proc.Process.Kill())
		_ = proc.Wait()
	}
	for _, l := range []*load.Running{v4, v6} {
		report := l.Stop()
		require.Zero(t, report.Failed, "%v", report)
		t.Logf("%v", report)
	}
	if !emulated() { // where it takes seconds to release what was held
		require.Equal(t, before, retransmissions(t), "a packet was lost")
	}
}

// TestKilledWithGuard kills both processes at once: the kernel takes rules and queue away, and a
// client's next SYN passes.
func TestKilledWithGuard(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8084)
	for range 5 {
		l := startLoad(t, "http://127.0.0.1:8084/")
		proc := p.command(t, Options{Match: Match{Ports: []uint16{8084}},
			MaxHold: 30 * time.Second}, "sleep", "0.2")
		require.NoError(t, proc.Start())
		requireHolding(t)
		killWithGuard(t, proc)
		requireNothingLeft(t)
		report := l.Stop() // before the next: a SYN that comes again must not be lost again
		require.Zero(t, report.Failed, "%v", report)
		require.Less(t, report.Max, oneRetransmission(), "%v", report)
	}
}

func killWithGuard(t testing.TB, proc *process) {
	t.Helper()
	guard := guardOf(t, proc.Process.Pid)
	// so that it cannot see the guard's end
	require.NoError(t, syscall.Kill(proc.Process.Pid, syscall.SIGSTOP))
	require.NoError(t, syscall.Kill(guard, syscall.SIGKILL))
	require.NoError(t, proc.Process.Kill())
	_ = proc.Wait()
}

// guardOf waits for the guard: it is named, and asleep, a moment after it has been started.
func guardOf(t testing.TB, pid int) (guard int) {
	t.Helper()
	parent := regexp.MustCompile(fmt.Sprintf(`\) [A-Z] %d `, pid))
	require.Eventually(t, func() bool {
		names, err := filepath.Glob("/proc/[0-9]*/comm")
		require.NoError(t, err)
		for _, name := range names {
			comm, err := os.ReadFile(name)
			if err != nil || string(comm) != "hawser-guard\n" {
				continue
			}
			stat, err := os.ReadFile(filepath.Join(filepath.Dir(name), "stat"))
			if err == nil && parent.Match(stat) {
				guard, err = strconv.Atoi(filepath.Base(filepath.Dir(name)))
				return err == nil
			}
		}
		return false
	}, 10*time.Second, time.Millisecond, "process %d has no guard", pid)
	return guard
}

// TestStopped stops the process in the middle (SIGSTOP): its guard keeps --max-hold.
func TestStopped(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8085)
	l := startLoad(t, "http://127.0.0.1:8085/")
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8085}},
		MaxHold: 400 * time.Millisecond}, "sleep", "0.1")
	require.NoError(t, proc.Start())
	requireHolding(t)
	require.NoError(t, proc.Process.Signal(syscall.SIGSTOP))
	var before int
	require.Eventually(t, func() bool { // nobody is answered …
		now := l.Progress().OK
		held := now == before
		before = now
		return held
	}, 5*time.Second, 20*time.Millisecond)
	// … and then they are
	require.Eventually(t, func() bool {
		return l.Progress().OK > before+10
	}, 5*time.Second, time.Millisecond)
	require.NoError(t, proc.Process.Signal(syscall.SIGCONT))
	require.NoError(t, proc.Wait(), proc.stderr)
	report := l.Stop()
	require.Zero(t, report.Failed, "%v", report)
	require.Less(t, report.Max, oneRetransmission(), "%v", report)
}

// TestLeftOvers: on a kernel whose tables have no owner the rules of a run that was killed with its
// guard stay. They let packets pass, and the next run removes them.
func TestLeftOvers(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8086)
	proc := p.commandOf(t, spec{Match: Match{Ports: []uint16{8086}}, MaxHold: 30 * time.Second,
		Unowned: true}, "sleep", "0.2")
	require.NoError(t, proc.Start())
	requireHolding(t)
	killWithGuard(t, proc)
	require.True(t, tablesThere(t), "the rules should have stayed")
	// A queue lives as long as any thread of the one that was killed, and drops what it has with it.
	require.Eventually(t, func() bool {
		queues, err := os.ReadFile("/proc/net/netfilter/nfnetlink_queue")
		return err == nil && len(queues) == 0
	}, 5*time.Second, time.Millisecond)
	report, err := load.Run(t.Context(), load.Plan{URL: "http://127.0.0.1:8086/", Requests: 50,
		Timeout: 5 * time.Second})
	require.NoError(t, err)
	require.Zero(t, report.Failed, "%v", report)
	require.Less(t, report.Max, noRetransmission(), "%v", report)

	code, said := p.run(t, Options{Match: Match{Ports: []uint16{8086}}}, "true")
	require.Zero(t, code, said)
	require.Contains(t, said, "removed the rules that a killed run had left")
	require.False(t, tablesThere(t))

	// Killed alone, its guard clears up there too.
	proc = p.commandOf(t, spec{Match: Match{Ports: []uint16{8086}}, MaxHold: 30 * time.Second,
		Unowned: true}, "sleep", "0.2")
	require.NoError(t, proc.Start())
	requireHolding(t)
	require.NoError(t, proc.Process.Kill())
	_ = proc.Wait()
}

// TestTwoAtOnce refuses the second, names the first, and lets one begin as soon as a killed one's
// guard has cleared up.
func TestTwoAtOnce(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8087)
	first := p.command(t, Options{Match: Match{Ports: []uint16{8087}}, MaxHold: 10 * time.Second},
		"sleep", "60")
	require.NoError(t, first.Start())
	requireHolding(t)
	code, said := p.run(t, Options{Match: Match{Ports: []uint16{8087}}}, "true")
	require.Equal(t, ExitOwn, code)
	require.Contains(t, said, fmt.Sprintf("another hawser protect already holds connections: "+
		"process %d, which runs sleep 60", first.Process.Pid))

	killTree(t, first)
	code, said = p.run(t, Options{Match: Match{Ports: []uint16{8087}}}, "true")
	require.Zero(t, code, said)
}

// killTree kills a run's COMMAND, which has been started by now, and the run.
func killTree(t testing.TB, proc *process) {
	t.Helper()
	path := fmt.Sprintf("/proc/%d/task/%[1]d/children", proc.Process.Pid)
	var children []string
	require.Eventually(t, func() bool {
		all, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", proc.Process.Pid))
		children = nil
		for _, path := range all {
			text, _ := os.ReadFile(path)
			children = append(children, strings.Fields(string(text))...)
		}
		return len(children) == 2
	}, 5*time.Second, time.Millisecond, "%s", path)
	require.NoError(t, proc.Process.Kill())
	for _, child := range children {
		comm, _ := os.ReadFile("/proc/" + child + "/comm")
		if string(comm) != "hawser-guard\n" {
			pid, err := strconv.Atoi(child)
			require.NoError(t, err)
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
	}
	_ = proc.Wait()
}

// TestMaxHold releases the connections although COMMAND keeps running.
func TestMaxHold(t *testing.T) {
	p := newPlace(t)
	p.haproxy(t, 8088)
	proc := p.command(t, Options{Match: Match{Ports: []uint16{8088}},
		MaxHold: 200 * time.Millisecond}, "sh", "-c", "read line; exit 5")
	command, err := proc.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, proc.Start())
	requireHolding(t)
	report, err := load.Run(t.Context(), load.Plan{URL: "http://127.0.0.1:8088/", Requests: 1,
		Timeout: 5 * time.Second})
	require.NoError(t, err)
	require.Zero(t, report.Failed, "%v", report)
	require.Greater(t, report.Max, 50*time.Millisecond, "it was not held")
	report, err = load.Run(t.Context(), load.Plan{URL: "http://127.0.0.1:8088/", Requests: 100,
		Timeout: 5 * time.Second})
	require.NoError(t, err)
	require.Zero(t, report.Failed, "held again: %v", report)
	require.NoError(t, command.Close())
	_ = proc.Wait()
	require.Equal(t, 5, proc.ProcessState.ExitCode())
	require.Contains(t, proc.stderr.String(),
		"released after 200ms (--max-hold): sh has not ended, and keeps running")
}
