package e2e

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// echoEnv makes this test binary ask an address for echoes until its input ends, and then tell when each answer came.
const echoEnv = "HAWSER_E2E_ECHO"

// echoes is what it is told, as JSON.
type echoes struct {
	IP    netip.Addr
	Every time.Duration
}

// echo prints a line when it has begun, and the times of all answers at the end. They are of the machine's clock, which all nodes share.
func echo(spec string) int {
	var e echoes
	if err := json.Unmarshal([]byte(spec), &e); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	answers, err := e.ask()
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answers)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (e echoes) ask() ([]int64, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
	if err != nil {
		return nil, err
	}
	limit := unix.NsecToTimeval(int64(50 * time.Millisecond))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return nil, err
	}
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(over)
	}()
	go func() {
		to := &unix.SockaddrInet4{Addr: e.IP.As4()}
		for seq := uint16(0); ; seq++ {
			// What cannot be sent (nobody answers ARP) is a request without an answer.
			_ = unix.Sendto(fd, echoRequest(seq), 0, to)
			time.Sleep(e.Every)
		}
	}()
	fmt.Println("asking")
	answers := []int64{}
	buf := make([]byte, 256)
	for {
		select {
		case <-over:
			return answers, nil
		default:
		}
		n, from, err := unix.Recvfrom(fd, buf, 0)
		now := time.Now().UnixNano()
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, err
		}
		const header = 20 // of an IPv4 packet without options
		if peer, ok := from.(*unix.SockaddrInet4); ok && peer.Addr == e.IP.As4() && n > header && buf[header] == 0 {
			answers = append(answers, now)
		}
	}
}

// echoRequest is an ICMP echo request (RFC 792).
func echoRequest(seq uint16) []byte {
	b := []byte{8, 0, 0, 0, 'h', 'w', byte(seq >> 8), byte(seq)}
	sum := uint32(0)
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(b[2:], ^uint16(sum))
	return b
}

// launchEnv makes this test binary run one command and tell when it began and when it had ended.
const launchEnv = "HAWSER_E2E_LAUNCH"

// launched are nanoseconds of the machine's clock, and the CPU time of the command and of what it waited for.
type launched struct {
	Began, Ended int64
	CPU          time.Duration
}

func launch(spec string) int {
	var c command
	if err := json.Unmarshal([]byte(spec), &c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	// A file and no pipe: an agent that leaves a child with its output behind (IPaddr2's send_arp) would seem to take as long as the child.
	complaint, err := os.CreateTemp("", "launch-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.Remove(complaint.Name()) }()
	for _, args := range c.Before {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%q: %v: %s\n", args, err, out)
			return 1
		}
	}
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Env = append(os.Environ(), c.Env...)
	cmd.Stderr = complaint
	began := time.Now()
	err = cmd.Run()
	ended := time.Now()
	if err != nil {
		said, _ := os.ReadFile(complaint.Name())
		fmt.Fprintf(os.Stderr, "%q: %v: %s\n", c.Args, err, said)
		return 1
	}
	if err := json.NewEncoder(os.Stdout).Encode(launched{began.UnixNano(), ended.UnixNano(), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}); err != nil {
		return 1
	}
	return 0
}
