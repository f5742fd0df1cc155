package node_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/haproxy"
)

func TestBacklogThatTheKernelCuts(t *testing.T) {
	w := newWorld(t)
	inNetwork(t, func() {
		sysctl(t, "net.core.somaxconn", "4096")
		require.Empty(t, w.finds("backlog"))
		require.NoError(t,
			os.WriteFile(w.config,
				[]byte("global\n\tmaxconn 100000\ndefaults\n\tmaxconn 9000\nfrontend http\n"+
					"\tbind :80\nfrontend small\n\tbind :81\n\tbacklog 10\n"),
				0o600))
		w.findsOne("backlog", doctor.Warning,
			"frontend http wants 9000 connections to wait, and net.core.somaxconn cuts that to "+
				"4096",
			"sysctl -w net.core.somaxconn=9000")
		// elsewhere HAProxy keeps running
		w.findsOne("backlog", doctor.Warning, "",
			"crm_resource --restart --resource haproxy --node lb-1 ")
		sysctl(t, "net.core.somaxconn", "9000")
		require.Empty(t, w.finds("backlog"))
		sysctl(t, "net.ipv4.tcp_syncookies", "0")
		sysctl(t, "net.ipv4.tcp_max_syn_backlog", "1024")
		w.findsOne("backlog", doctor.Warning,
			"without SYN cookies net.ipv4.tcp_max_syn_backlog allows 1024",
			"net.ipv4.tcp_syncookies=1")
	})
}

// A socket keeps the queue with which it began to listen, and a reload passes it on: what was
// raised since does nothing.
func TestQueueOfBeforeItWasRaised(t *testing.T) {
	w := newWorld(t)
	config := strings.Replace(fmt.Sprintf(goodConfig, w.port), "frontend http\n",
		"frontend http\n\tbacklog 2000\n", 1)
	require.NoError(t, os.WriteFile(w.config, []byte(config), 0o600))
	inNetwork(t, func() {
		sysctl(t, "net.core.somaxconn", "128")
		w.findsOne("backlog", doctor.Warning, "net.core.somaxconn cuts that to 128", "sysctl -w")
		w.runs()
		sysctl(t, "net.core.somaxconn", "4096")
		w.findsOne("backlog", doctor.Note, "let 128 wait",
			"crm_resource --restart --resource haproxy --node lb-1 ")
		require.NoError(t, haproxy.Master{
			Path: filepath.Join(w.RunDir, "haproxy/master.sock"),
		}.Reload(t.Context()))
		w.findsOne("backlog", doctor.Note, "let 128 wait",
			"crm_resource --restart --resource haproxy --node lb-1 ")
		require.NoError(t,
			os.WriteFile(w.config,
				[]byte(strings.Replace(config, "backlog 2000", "backlog 128", 1)), 0o600))
		require.Empty(t, w.finds("backlog"))
		// What listens elsewhere than on TCP, or says its own, is not compared.
		for _, bind := range []string{"/run/x.sock", "quic4@:443", ":80 maxconn 100"} {
			require.NoError(t,
				os.WriteFile(w.config, []byte("frontend http\n\tbacklog 2000\n\tbind "+bind+"\n"),
					0o600))
			require.Empty(t, w.finds("backlog"), bind)
		}
	})
}
