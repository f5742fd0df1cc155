package digitalocean_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/digitalocean"
)

// relay passes connections on to a server, until it is told to swallow what comes on those that it
// has: the path to the server has changed from then on, as when a network address translation has
// lost its table.
type relay struct {
	net.Listener
	swallowed atomic.Int64 // connections up to this number
}

func (r *relay) run(to string) {
	for number := int64(1); ; number++ {
		from, err := r.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", to)
		if err != nil {
			_ = from.Close()
			continue
		}
		pass := func(dst, src net.Conn) {
			defer func() { _, _ = dst.Close(), src.Close() }()
			buffer := make([]byte, 32<<10)
			for {
				n, err := src.Read(buffer)
				if err != nil {
					return
				}
				if number <= r.swallowed.Load() {
					continue
				}
				if _, err := dst.Write(buffer[:n]); err != nil {
					return
				}
			}
		}
		go pass(server, from)
		go pass(from, server)
	}
}

// A connection that dies without a word, after a request that was answered, costs one request its
// time, and not all that follow.
func TestAConnectionThatDies(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
		_ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"droplet":{"id":1002}}`)
	}))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	require.NoError(t, os.WriteFile(roots,
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		0o600))
	t.Setenv("SSL_CERT_FILE", roots) // read when the first certificate of this process is verified

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	way := &relay{Listener: listener}
	go way.run(strings.TrimPrefix(server.URL, "https://"))

	c := digitalocean.New(digitalocean.Config{
		Origin: "https://" + listener.Addr().String(), Timeout: time.Second,
		Token: func() (string, error) { return "dop_v1_secret", nil },
	})
	client, err := c.Godo()
	require.NoError(t, err)
	ask := func() error {
		_, _, err := client.Droplets.Get(context.Background(), 1002)
		return err
	}
	require.NoError(t, ask())
	way.swallowed.Store(1)
	require.Error(t, ask())
	require.NoError(t, ask(), "on a new connection")
}
