using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace VoiceGrains.Bench.WebRtc;

/// <summary>
/// One caller whose packets are answered at once, and how long each took; in turn with them bare datagrams of the same length that a thread of the server's
/// process sends back, which tell what the machine itself takes just then. Its thread does nothing else.
/// </summary>
internal sealed class Prober : IDisposable
{
    private const int FramesPerCheck = 125;     // 2.5 s
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private readonly Socket _bare = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = (int)Patience.TotalMilliseconds };
    private readonly Caller _caller;
    private readonly Speech _speech;
    private Thread? _thread;
    private volatile bool _isStopped;
    private int _frame;

    /// <param name="caller">Of an <see cref="EchoingCall"/>.</param>
    /// <param name="echoPort">Where bare datagrams are sent back.</param>
    public Prober(Caller caller, int echoPort, Speech speech)
    {
        (_caller, _speech) = (caller, speech);
        _bare.Connect(IPAddress.Loopback, echoPort);
    }

    public List<double> Milliseconds { get; } = [];

    public List<double> BareMilliseconds { get; } = [];

    public void Start()
    {
        _isStopped = false;
        Clear();
        _thread = new Thread(Run) { Name = "prober" };
        _thread.Start();
    }

    public void Stop()
    {
        _isStopped = true;
        _thread?.Join();
    }

    /// <summary>Forgets what it has measured. Only while stopped.</summary>
    public void Clear()
    {
        Milliseconds.Clear();
        BareMilliseconds.Clear();
    }

    public void Dispose()
    {
        Stop();
        _bare.Dispose();
    }

    private void Run()
    {
        var reply = new byte[2_048];
        for (_caller.Drain(); !_isStopped; _frame++)
        {
            var packet = _speech.Packet(_frame);
            var sent = Stopwatch.GetTimestamp();
            _caller.Speak(packet);
            if (_caller.TryAwait(Patience)) Milliseconds.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            Thread.Sleep(7 + _frame % 4);       // not in step with the server's pacer
            sent = Stopwatch.GetTimestamp();
            _bare.Send(packet, SocketFlags.None, out _);
            if (_bare.Receive(reply, SocketFlags.None, out _) > 0) BareMilliseconds.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            if (_frame % FramesPerCheck == 0) _caller.Check();
            Thread.Sleep(8 + _frame % 3);
        }
    }
}
