//go:build vagrant

package vagrant

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
)

// visitorsEnv makes this binary be visitors, on the client: its value is the plan, as JSON. They
// continue until standard input ends.
const visitorsEnv = "HAWSER_VISITORS"

// visitorsAt is where the client has this binary.
const visitorsAt = "/root/hawser-visitors"

// asVisitors runs the visitors if this binary is to be them.
func asVisitors() (code int, asked bool) {
	if plan := os.Getenv(visitorsEnv); plan != "" {
		return visit(plan), true
	}
	return 0, false
}

// visit says "first" at the first good answer, and the report at the end.
func visit(text string) int {
	signal.Ignore(syscall.SIGHUP)
	var plan load.Plan
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	running, err := load.Start(context.Background(), plan)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(stop)
	}()
	select {
	case <-running.First():
		fmt.Println("first")
	case <-stop:
	}
	select {
	case <-running.Done():
	case <-stop:
	}
	if err := json.NewEncoder(os.Stdout).Encode(running.Stop()); err != nil {
		return 1
	}
	return 0
}

// visitors are under way on the client.
type visitors struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	lines  *bufio.Reader
	stderr bytes.Buffer
	cancel context.CancelFunc
}

// page is what visitors ask for.
const page = "http://" + floatingIP + "/"

// visit lets a visitor come twice and a half times a second, each with a new connection, and returns when the first has been answered. More would take
// from an emulated processor what the failover needs.
func (m *machines) visit(t testing.TB) *visitors {
	return m.loadFrom(t, client, load.Plan{URL: page, Every: 400 * time.Millisecond, Timeout: 10 * time.Second})
}

// loadFrom lets them come from any machine.
func (m *machines) loadFrom(t testing.TB, from string, plan load.Plan) *visitors {
	t.Helper()
	if _, err := m.try(from, "test -x "+visitorsAt); err != nil {
		self, err := os.Executable()
		require.NoError(t, err)
		m.copyTo(t, from, self, visitorsAt+".new")
		m.run(t, from, "chmod 0700 "+visitorsAt+".new && mv "+visitorsAt+".new "+visitorsAt)
	}
	text, err := json.Marshal(plan)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	v := &visitors{cmd: m.ssh(ctx, from, visitorsEnv+"="+quoted(string(text))+" exec "+visitorsAt), cancel: cancel}
	v.cmd.WaitDelay = time.Second
	v.stdin, err = v.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := v.cmd.StdoutPipe()
	require.NoError(t, err)
	v.lines, v.cmd.Stderr = bufio.NewReader(out), &v.stderr
	require.NoError(t, v.cmd.Start())
	t.Cleanup(func() { cancel(); _ = v.cmd.Wait() })
	watchdog := time.AfterFunc(time.Minute, cancel)
	line, err := v.lines.ReadString('\n')
	watchdog.Stop()
	require.NoError(t, err, "no visitor was answered in a minute: %s", &v.stderr)
	require.Equal(t, "first\n", line)
	return v
}

// leave ends the visitors and returns what they saw.
func (v *visitors) leave(t testing.TB) (report load.Report) {
	t.Helper()
	defer v.cancel()
	require.NoError(t, v.stdin.Close())
	watchdog := time.AfterFunc(time.Minute, v.cancel)
	defer watchdog.Stop()
	require.NoError(t, json.NewDecoder(v.lines).Decode(&report), "%s", &v.stderr)
	return report
}
