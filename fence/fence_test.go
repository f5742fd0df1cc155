package fence_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/fence"
	"github.com/hawser-ha/hawser/param"
)

// toy is an agent for one machine in memory.
type toy struct {
	power             fence.Power
	offErr, statusErr error
	offDoes           fence.Power // what an off makes of it
	started, hangs    bool
	panics            bool
	onErr             error
	secret, plug      string
}

func (m *toy) agent() *fence.Agent {
	return &fence.Agent{
		Name: "fence_toy", Version: "1.2.3", Short: "Fence agent for <toys>",
		Long: "For tests & nothing else.\n\n.Second paragraph.", URL: "https://example.com",
		PlugText: "The toy",
		Times: fence.Times{Login: 100 * time.Millisecond, Power: 400 * time.Millisecond,
			Shell: 100 * time.Millisecond},
		Params: []fence.Param{
			{Name: "key_file", Holds: "file", Required: true, Hide: true, Text: "The key",
				Value: param.String(&m.secret, "")},
		},
		Validate: func(context.Context, *fence.Call) error { return nil },
		Off: func(ctx context.Context, c *fence.Call) error {
			m.plug = c.Plug
			c.Redact(m.secret)
			if m.hangs {
				select {}
			}
			if m.offErr != nil {
				return m.offErr
			}
			m.power = m.offDoes
			return ctx.Err()
		},
		On: func(_ context.Context, c *fence.Call) error {
			m.plug = c.Plug
			m.power = fence.On
			return m.onErr
		},
		Start: func(context.Context, *fence.Call) error {
			m.started = true
			return m.onErr
		},
		Status: func(context.Context, *fence.Call) (fence.Power, error) {
			if m.panics {
				panic("no such plug k3y")
			}
			return m.power, m.statusErr
		},
		List: func(context.Context, *fence.Call) ([]fence.Plug, error) {
			return []fence.Plug{{ID: "1", Name: "a"}}, nil
		},
		Monitor: func(context.Context, *fence.Call) error { return nil },
	}
}

type result struct {
	code                int
	stdout, stderr, log string
}

func (m *toy) main(stdin string, args ...string) result {
	var out, complaint, log bytes.Buffer
	env := fence.Env{Args: append([]string{"fence_toy"}, args...), Stdin: strings.NewReader(stdin),
		Stdout: &out, Stderr: &complaint, Log: &log}
	code := m.agent().Main(context.Background(), env)
	return result{code, out.String(), complaint.String(), log.String()}
}

func TestOptions(t *testing.T) {
	for name, test := range map[string]struct {
		stdin  string
		args   []string
		code   int
		plug   string
		stderr string
	}{
		"stdin": {stdin: "# a comment\n\n  " +
			"action=off\nkey_file=k3y\nport=a=b c\n", plug: "a=b c"},
		"the last one counts": {stdin: "action=off\nkey_file=k3y\nport=a\nport=b\n",
			plug: "b"},
		"plug and port": {stdin: "action=off\nkey_file=k3y\nplug=a\nport=a\n",
			plug: "a"},
		"plug, and port from the cluster": {stdin: "action=off\nkey_file=k3y\nnodename=b\nplug=a\nport=b\n", plug: "a"},
		"port, and plug from the cluster": {stdin: "action=off\nkey_file=k3y\nnodename=b\nplug=b\nport=a\n", plug: "a"},
		"two machines":                    {stdin: "action=off\nkey_file=k3y\nnodename=n\nplug=a\nport=b\n", code: 1, stderr: `plug is "a" and port, its older name, is "b"`},
		"an empty plug, and port":         {stdin: "action=off\nkey_file=k3y\nnodename=n\nplug=\nport=b\n", plug: "b"},
		"help and version":                {stdin: "action=off\nkey_file=k3y\nport=a\nhelp=1\nversion=1\n", plug: "a"},
		"port before nodename": {stdin: "action=off\nkey_file=k3y\nnodename=n\nport=b\n",
			plug: "b"},
		"nodename": {stdin: "action=off\nkey_file=k3y\nnodename=n\n",
			plug: "n"},
		"no newline at the end": {stdin: "action=off\nkey_file=k3y\nport=a", plug: "a"},
		"unknown": {stdin: "action=off\nkey_file=k3y\nport=a\npasswd=hunter2\n",
			plug: "a", stderr: "fence_toy: warning: unknown option \"passwd\" ignored\n"},
		"those of every call": {stdin: "action=off\nkey_file=k3y\nport=a\nnodename=n\nnodeid=3\n",
			plug: "a"},
		"option, the old name": {stdin: "option=off\nkey_file=k3y\nport=a\n", plug: "a"},
		"short flags": {args: []string{"-o", "off", "-n", "a", "--key-file",
			"k3y"}, plug: "a"},
		"long flags": {args: []string{"--action=off", "--plug=a",
			"--key-file=k3y"}, plug: "a"},
		"an empty value is none": {stdin: "action=off\nkey_file=k3y\nport=a\npower_timeout=\n",
			plug: "a"},
		"a flag without its value": {args: []string{"-o"}, code: 1,
			stderr: "flag needs an argument: -o: see fence_toy --help"},
		"a flag that there is none": {args: []string{"--colour"}, code: 1,
			stderr: "flag provided but not defined: -colour"},
		"an argument": {args: []string{"-o", "off", "lb-1"}, code: 1,
			stderr: "1 arguments that belong to no option, from \"lb-1\" on"},
		"nothing": {code: 1,
			stderr: "parameter key_file is not set: The key; parameter plug is not set: reboot " +
				"needs a machine"},
		"no machine": {stdin: "action=off\nkey_file=k3y\n", code: 1,
			stderr: "parameter plug is not set: off needs a machine"},
		"no such action": {stdin: "action=explode\nkey_file=k3y\nport=a\n",
			code: 1, stderr: "no action \"explode\": there are list,"},
		"all faults at once":        {stdin: "action=off\ndelay=x\nlogin_timeout=NaN\nverbose=maybe\n", code: 1, stderr: `"x" is not a number of seconds from 0 to 86400; parameter login_timeout="NaN"`},
		"a debug file nowhere":      {stdin: "action=off\nkey_file=k3y\nport=a\ndebug_file=/nowhere/x\n", plug: "a", stderr: "warning: parameter debug_file: open /nowhere/x"},
		"a debug file in a monitor": {stdin: "action=monitor\nkey_file=k3y\nport=a\ndebug_file=/nowhere/x\n", code: 1, stderr: "error: parameter debug_file: open /nowhere/x"},
		"too much": {stdin: strings.Repeat("x", 1<<20), code: 1,
			stderr: "these are not options"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &toy{power: fence.On, offDoes: fence.Off}
			r := m.main(test.stdin, test.args...)
			require.Equal(t, test.code, r.code, r.stderr)
			require.Equal(t, test.plug, m.plug)
			require.Contains(t, r.stderr, test.stderr)
			if test.stderr == "" {
				require.Empty(t, r.stderr)
			}
			require.NotContains(t, r.stderr, "hunter2")
		})
	}
}

func TestStandardInputThatFails(t *testing.T) {
	var complaint bytes.Buffer
	m := &toy{}
	env := fence.Env{Args: []string{"fence_toy"},
		Stdin: io.MultiReader(strings.NewReader("action=off\n"), errReader{}), Stdout: io.Discard,
		Stderr: &complaint}
	require.Equal(t, 1, m.agent().Main(t.Context(), env))
	require.Contains(t, complaint.String(), "cannot read the options from standard input: gone")
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("gone") }

const off, reboot, status = "action=off\nport=a\nkey_file=k3y\n",
	"action=reboot\nport=a\nkey_file=k3y\n", "action=status\nport=a\nkey_file=k3y\n"

func TestOffIsASuccessOnlyWhenSeen(t *testing.T) {
	lost := errors.New("lost")
	for name, test := range map[string]struct {
		machine toy
		code    int
		stderr  string
	}{
		"it is off":  {machine: toy{power: fence.On, offDoes: fence.Off}},
		"it was off": {machine: toy{power: fence.Off, offDoes: fence.Off}},
		"the order failed and it is off": {machine: toy{power: fence.Off, offErr: lost},
			stderr: "warning: a is off anyway: lost"},
		"the order failed and it is on": {machine: toy{power: fence.On, offErr: lost}, code: 1,
			stderr: "error: a is not known to be off: lost"},
		"it is on again": {machine: toy{power: fence.On, offDoes: fence.On},
			code: 1, stderr: "a was off and is ON again"},
		"its state is nothing": {machine: toy{power: fence.On, offDoes: 0}, code: 1,
			stderr: "a was off and is UNKNOWN again"},
		"it cannot be looked at": {machine: toy{power: fence.On, offDoes: fence.Off,
			statusErr: lost}, code: 1,
			stderr: "a is not known to be off: the order was carried out, and then: lost"},
		"neither ordered nor looked at": {machine: toy{power: fence.On, offErr: lost,
			statusErr: lost}, code: 1, stderr: "a is not known to be off: lost"},
		"an agent that does not come back": {machine: toy{power: fence.On, hangs: true}, code: 1,
			stderr: "the agent was still busy when its time was over"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, action := range []string{off, reboot} {
				if action == reboot && test.machine.hangs {
					continue // it would be given the time of the second half, too
				}
				m := test.machine
				r := m.main(action)
				require.Equal(t, test.code, r.code)
				require.Contains(t, r.stderr, test.stderr)
				require.Equal(t, test.code == 0, strings.HasPrefix(r.stdout, "Success: "), r.stdout)
				require.Equal(t, test.code == 0 && action == reboot, m.started)
			}
		})
	}
}

func TestRebootIsASuccessOnceItIsOff(t *testing.T) {
	m := &toy{power: fence.On, offDoes: fence.Off, onErr: errors.New("no room")}
	r := m.main(reboot)
	require.Equal(t, 0, r.code)
	require.Equal(t, "fence_toy: error: a was fenced and is off, and could not be switched on "+
		"again: switch it on by hand: no room\n", r.stderr)
	require.Contains(t, r.log, "could not be switched on again")
	m = &toy{power: fence.On, offDoes: fence.Off}
	require.Equal(t, 0, m.main(reboot+"power_wait=1\n").code)
	require.Equal(t, fence.On, m.power)
}

func TestStatus(t *testing.T) {
	require.Equal(t, result{0, "Status: ON\n", "", ""}, (&toy{power: fence.On}).main(status))
	require.Equal(t, result{2, "Status: OFF\n", "", ""}, (&toy{power: fence.Off}).main(status))
	require.Equal(t, 1, (&toy{power: fence.Off, statusErr: errors.New("x")}).main(status).code)
	require.Equal(t, 1, (&toy{}).main(status).code)
}

// The exit code of a Go program that panics is 2, which is status' word for a machine that is off.
func TestAPanicIsNotOff(t *testing.T) {
	for _, action := range []string{status, off, reboot} {
		r := (&toy{power: fence.On, panics: true}).main(action)
		require.Equal(t, 1, r.code)
		require.Contains(t, r.stderr,
			"this is a fault of fence_toy, please report it: no such plug ")
		require.Equal(t, action != status, !strings.Contains(r.stderr, "k3y"),
			"what was redacted stays so")
		require.Empty(t, r.stdout)
	}
}

func TestDelay(t *testing.T) {
	m := &toy{power: fence.On, offDoes: fence.Off}
	began := time.Now()
	require.Equal(t, 0, m.main(off+"delay=0.3\n").code)
	require.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
	began = time.Now()
	require.Equal(t, 2, m.main(status+"delay=30\n").code, "which does not wait")
	require.Less(t, time.Since(began), 20*time.Second)
}

func TestWhatIsSaid(t *testing.T) {
	m := &toy{power: fence.On, offErr: errors.New("key k3y refused")}
	file := filepath.Join(t.TempDir(), "log")
	r := m.main("action=off\nport=a\nkey_file=k3y\ndebug_file=" + file + "\nverbose=1\n")
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, said := range []string{r.stderr, r.log, string(written)} {
		require.Contains(t, said, "key ******** refused")
		require.NotContains(t, said, "k3y")
	}
	require.Empty(t, m.main(off+"quiet\n").stderr)
}

func TestPapers(t *testing.T) {
	m := &toy{}
	require.Equal(t, result{0, "1.2.3\n", "", ""}, m.main("", "--version"))
	help := m.main("", "-h")
	require.Equal(t, 0, help.code)
	for _, want := range []string{"-n, --plug=[id]",
		"--key-file=[file]\n          The key (required)", "(default 0.4)", "2 of status: off"} {
		require.Contains(t, help.stdout, want)
	}
	manual := m.main("action=manpage\n")
	require.Equal(t, 0, manual.code)
	require.Contains(t, manual.stdout, ".TH FENCE_TOY 8")
	require.Contains(t, manual.stdout, `\&.Second paragraph.`)
	meta := m.main("action=metadata\n")
	require.Contains(t, meta.stdout, `shortdesc="Fence agent for &lt;toys&gt;"`)
	require.NotContains(t, meta.stdout, `name="nodename"`)
	require.Equal(t, "1,a\n", m.main("", "-o", "list", "--key-file", "k3y").stdout)
	require.Equal(t, "1,a,UNKNOWN\n", m.main("", "-o", "list-status", "--key-file", "k3y").stdout)
}

func FuzzStandardInput(f *testing.F) {
	for _, seed := range []string{off, "action", "=", "port==\n", "\x00=\xff\n",
		"action=status\r\nport=a\r\nkey_file=k3y\r\n", "#\n", "verbose\nhelp\n",
		"dedelaybug_file=/\ndelay=9\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for strings.Contains(text, "debug") ||
			strings.Contains(text, "delay") { // files and time of the machine that fuzzes
			text = strings.NewReplacer("debug", "", "delay", "").Replace(text)
		}
		// The machine is on and stays on: whatever the input says, no fence is a success, and no
		// status is 2.
		m := &toy{power: fence.On, offDoes: fence.On}
		r := m.main(text)
		require.Contains(t, []int{0, 1}, r.code)
		require.NotContains(t, r.stdout, "Success: Powered OFF")
		require.NotContains(t, r.stdout, "Success: Rebooted")
		require.NotContains(t, r.stdout, "Status: OFF")
	})
}
