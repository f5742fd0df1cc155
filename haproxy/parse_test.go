package haproxy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	procs26 = `#<PID>          <type>          <reloads>       <uptime>        <version>      
11755           master          2 [failed: 1]   0d00h15m38s     2.6.12-1+deb12u4
# workers
18584           worker          1               0d00h05m18s     2.6.12-1+deb12u4
# old workers
18500           worker          2               1d02h03m04s     2.6.11
# programs
1244            dataplane       0               0d00h00m06s     -
# old programs
1200            dataplane       1               0d00h00m07s     -

`
	procs24 = `#<PID>          <type>          <relative PID>  <reloads>       <uptime>        <version>
1162            master          0               5               0d00h02m07s     2.4.0
# workers
1271            worker          1               0               0d00h00m00s     2.4.0
# old workers
1233            worker          [was: 1]        3               0d00h00m43s     2.4.0
`
	info26 = "Name: HAProxy\nVersion: 2.6.12-1+deb12u4\nNbthread: 2\nPid: 11756\nUptime: 0d " +
		"0h10m20s\nUptime_sec: 620\n" +
		"Maxconn: 9979\nCurrConns: 3\nCumConns: 622\nCumReq: 1\nIdle_pct: 100\nnode: " +
		"vm\nStopping: 1\nListeners: 3\n\n"
	stat26 = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,status,weight,lastchg,type,check_status,last_chk,addr,mode,\n" +
		"web,FRONTEND,,,1,2,9979,5,10,20,OPEN,,,0,,,,http,\n" +
		"app,a,0,0,0,0,,0,0,0,DOWN 1/2,1,620,2,* L4CON,\"Connection refused, " +
		"\"\"twice\"\"\",127.0.0.1:18081,http,\n" +
		"app,b,0,0,0,0,,0,0,0,no check,1,619,2,,,127.0.0.1:18082,http,\n" +
		"app,BACKEND,0,0,0,0,998,0,0,0,UP,1,619,1,,,,http,\n\n"
)

func TestShowProc(t *testing.T) {
	p, err := parseProcs(procs26)
	require.NoError(t, err)
	require.Equal(t, Procs{
		Master: Proc{PID: 11755, Type: "master", Reloads: 2, Uptime: 15*time.Minute +
			38*time.Second, Version: "2.6.12-1+deb12u4"},
		Failed: 1,
		Workers: []Proc{{PID: 18584, Type: "worker", Reloads: 1, Uptime: 5*time.Minute +
			18*time.Second, Version: "2.6.12-1+deb12u4"}},
		OldWorkers: []Proc{{PID: 18500, Type: "worker", Reloads: 2, Uptime: 26*time.Hour +
			3*time.Minute + 4*time.Second, Version: "2.6.11"}},
		Programs:    []Proc{{PID: 1244, Type: "dataplane", Uptime: 6 * time.Second}},
		OldPrograms: []Proc{{PID: 1200, Type: "dataplane", Reloads: 1, Uptime: 7 * time.Second}},
	}, p)

	p, err = parseProcs(procs24)
	require.NoError(t, err)
	require.Equal(t, 5, p.Master.Reloads)
	require.Equal(t, 1271, p.Workers[0].PID)
	require.Equal(t, Proc{PID: 1233, Type: "worker", Reloads: 3, Uptime: 43 * time.Second,
		Version: "2.4.0"}, p.OldWorkers[0])

	t.Run("3.1 has the worker that goes on among the old ones when a reload failed",
		func(t *testing.T) {
			p, err := parseProcs("#<PID> <type> <reloads> <uptime> <version>\n5 master 2 " +
				"[failed: 1] " +
				"0d00h00m08s 3.2.0\n# workers\n# old workers\n" +
				"6 worker 3 0d00h00m08s 3.2.0\n7 worker 2 0d00h00m08s 3.2.0\n")
			require.NoError(t, err)
			require.Equal(t, 7, p.Workers[0].PID)
			require.Len(t, p.Workers, 1)
			require.Equal(t, 6, p.OldWorkers[0].PID)
			require.Len(t, p.OldWorkers, 1)
		})

	for _, wrong := range []string{"", "Unknown command: show proc", "#<PID> <type>\n",
		"#<PID> <type>\nx master\n", "#<PID>\n-1\n",
		"#<PID> <type> <uptime>\n1 master 3h\n",
		"#<PID> <type> <reloads>\n1 master 0 [failed: x]\n"} {
		_, err := parseProcs(wrong)
		require.Error(t, err, wrong)
	}
}

func TestShowInfo(t *testing.T) {
	info, err := parseInfo(info26)
	require.NoError(t, err)
	require.Equal(t, Info{Name: "HAProxy", Version: "2.6.12-1+deb12u4", Pid: 11756,
		Uptime: 620 * time.Second, CurrConns: 3,
		MaxConn: 9979, CumConns: 622, CumReq: 1, Stopping: true, Listeners: 3, IdlePct: 100,
		Node: "vm"}, info)
	for _, wrong := range []string{"", "Permission denied\n", "Pid: x\n", "Pid: 0\n"} {
		_, err := parseInfo(wrong)
		require.Error(t, err, wrong)
	}
}

func TestShowStat(t *testing.T) {
	stats, err := parseStats(stat26)
	require.NoError(t, err)
	require.Len(t, stats, 4)
	require.Equal(t, Stat{Proxy: "web", Service: "FRONTEND", Type: Frontend, Status: "OPEN",
		Mode: "http", Scur: 1, Smax: 2, Slim: 9979,
		Stot: 5, Bin: 10, Bout: 20}, stats[0])
	require.Equal(t, `Connection refused, "twice"`, stats[1].LastCheck)
	require.Equal(t, "L4CON", stats[1].CheckStatus)
	require.Equal(t, "127.0.0.1:18081", stats[1].Addr)
	require.Equal(t, Server, stats[2].Type)
	for _, wrong := range []string{"", "Unknown command", "# a,b\n",
		"# pxname,svname,status,type\nx,y,UP,two\n", "# pxname,svname,status,type\nx\n"} {
		_, err := parseStats(wrong)
		require.Error(t, err, wrong)
	}
}

func TestServerStates(t *testing.T) {
	for status, want := range map[string][2]bool{
		"UP": {true, false}, "UP 1/3": {true, false}, "no check": {true, false}, "DOWN": {},
		"DOWN 1/2": {}, "DOWN (agent)": {},
		"MAINT": {false, true}, "MAINT (via b/s)": {false, true}, "DRAIN": {false, true},
		"DRAIN 1/2": {false, true}, "NOLB": {false, true},
		"UPSIDE": {},
	} {
		s := Stat{Status: status}
		require.Equal(t, want, [2]bool{s.Up(), s.Drained()}, status)
	}
}

func TestComplaint(t *testing.T) {
	require.Equal(t, "/x.cfg:3: unknown keyword 'foo' in 'frontend' section; Proxy 'f': no bind", Complaint(`[NOTICE]   (12) : haproxy version is 2.6.12
[WARNING]  (12) : config : missing timeouts for frontend 'f'.
   | While not properly invalid
[ALERT]    (12) : config : parsing [/x.cfg:3] : unknown keyword 'foo' in 'frontend' section
[ALERT]    (12) : config : parsing [/x.cfg:2] : 'pidfile' already specified. Continuing.
[ALERT]    (12) : config : Error(s) found in configuration file : /x.cfg
[ALERT]    (12) : Proxy 'f': no bind
[ALERT]    (12) : config : Fatal errors found in configuration.
`))
	require.Equal(t, "a; b; c; …", Complaint("[ALERT] (1) : a\n[ALERT] (1) : b\n[ALERT] (1) : "+
		"c\n[ALERT] (1) : d\n"))
	require.Equal(t, "Segmentation fault", Complaint("[NOTICE] (1) : x\nSegmentation fault\n"))
	require.Empty(t, Complaint("\n"))
	require.Equal(t, "x.cfg:10: The 'program' section is deprecated",
		Complaint("[NOTICE]   (7) : haproxy version is 3.2.0\n"+
			"[WARNING]  (7) : config : parsing [x.cfg:10]: The 'program' section is deprecated\n"+
			"[ALERT]    (7) : config : Error(s) found in configuration file : x.cfg\n"),
		"3.1: the alert says nothing, the warning does")
	require.Equal(t, "a", Complaint("[WARNING]  (7) : w\n[ALERT]    (7) : a\n"))
}

func FuzzShowProc(f *testing.F) {
	f.Add(procs26)
	f.Add(procs24)
	f.Add("#<PID> <type> <reloads>\n1 master 0 [failed: 3]\n2 worker 0 [was:\n")
	f.Fuzz(func(t *testing.T, answer string) {
		p, err := parseProcs(answer)
		if err == nil {
			require.Positive(t, p.Master.PID)
			require.GreaterOrEqual(t, p.Failed, 0)
			for _, list := range [][]Proc{p.Workers, p.OldWorkers, p.Programs, p.OldPrograms} {
				for _, proc := range list {
					require.Positive(t, proc.PID)
					require.GreaterOrEqual(t, proc.Uptime, time.Duration(0))
				}
			}
		}
	})
}

func FuzzShowInfo(f *testing.F) {
	f.Add(info26)
	f.Add("Pid: 1\nPid: -1")
	f.Fuzz(func(t *testing.T, answer string) {
		if info, err := parseInfo(answer); err == nil {
			require.Positive(t, info.Pid)
		}
	})
}

func FuzzShowStat(f *testing.F) {
	f.Add(stat26)
	f.Add("# pxname,svname,status,type\n\"x,y\n")
	f.Fuzz(func(t *testing.T, answer string) {
		stats, err := parseStats(answer)
		if err == nil {
			for _, s := range stats {
				require.NotEmpty(t, s.Proxy)
				require.NotEmpty(t, s.Service)
			}
		}
	})
}

func FuzzReloadAnswer(f *testing.F) {
	f.Add("Success=1\n--\n[NOTICE] (1) : New worker\n")
	f.Add("Success=0\n--\n[ALERT] (1) : x\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, answer string) {
		if decided, err := reloadAnswer(answer); !decided {
			require.NoError(t, err)
		}
	})
}
