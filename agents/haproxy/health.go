package haproxy

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/hawser-ha/hawser/internal/procfs"
)

// requestCheckURL requests check_url as a client would. The certificate is HAProxy's own and often
// not for the address of the request, so it is not verified: what counts is that the service
// answers.
func (a *agent) requestCheckURL(ctx context.Context, env []string) error {
	var unknown []string
	url := os.Expand(a.CheckURL, func(name string) string {
		value := procfs.Lookup(env, name)
		if value == "" {
			unknown = append(unknown, name)
		}
		return hostOf(value)
	})
	if len(unknown) > 0 {
		return fmt.Errorf("check_url=%s mentions %s, which HAProxy was not started with: restart "+
			"the resource", a.CheckURL, strings.Join(unknown, ", "))
	}
	ctx, cancel := context.WithTimeout(ctx, a.checkTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("check_url=%s: %w", a.CheckURL, err)
	}
	request.Header.Set("User-Agent", "hawser/"+a.Version)
	request.Close = true
	asker := &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	response, err := asker.Do(request)
	if err != nil {
		return fmt.Errorf("the service does not answer through HAProxy: check_url: %w", err)
	}
	_ = response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 399 {
		return fmt.Errorf("the service is not healthy: check_url: GET %s through HAProxy: %s", url,
			response.Status)
	}
	return nil
}

// hostOf returns an address as a URL has it: IPv6 in brackets.
func hostOf(value string) string {
	if strings.Contains(value, ":") {
		return "[" + value + "]"
	}
	return value
}
