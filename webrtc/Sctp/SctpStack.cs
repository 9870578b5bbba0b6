using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace VoiceGrains.WebRtc.Sctp;

/// <summary>
/// usrsctp in this process: the library keeps one global state, so this has one instance. It runs without threads of its own, for two reasons: while no
/// association exists nothing ticks, and its timers exclude <see cref="Close"/>, since closing a socket that a timer is at work on is where the library's
/// own locking has failed before. An association is known to the library by a number that is never used twice, looked up on every callback: a packet of a
/// closed association finds nobody, instead of freed memory.
/// </summary>
internal sealed unsafe class SctpStack
{
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(10);
    private static readonly Lazy<SctpStack> _instance = new(() => new SctpStack());

    private readonly ConcurrentDictionary<nint, SctpAssociation> _associations = [];
    private readonly Lock _lifecycle = new();
    private readonly ManualResetEventSlim _hasAssociations = new(false);
    private long _lastAddress;

    private SctpStack()
    {
        UsrSctp.Initialize(0, &OnOutput, 0);
        UsrSctp.EnableEcn(0);                           // DTLS hides the IP header's bits
        UsrSctp.EnableAuthentication(0);                // DTLS has done it, and a parser that nobody needs is one more to attack
        UsrSctp.EnableAddressChanges(0);
        UsrSctp.EnableAutomaticAddressChanges(0);
        UsrSctp.SetBlackhole(2);                        // packets of no association are not answered
        UsrSctp.SetInitialWindow(10);
        new Thread(RunTimers) { IsBackground = true, Name = "sctp timers" }.Start();
    }

    internal static SctpStack Instance => _instance.Value;

    internal int Count => _associations.Count;

    /// <summary>Opens a socket whose packets go to <paramref name="association"/>.</summary>
    internal SctpSocket Open(SctpAssociation association, SctpOptions options)
    {
        lock (_lifecycle)
        {
            var address = (nint)(++_lastAddress);
            var socket = SctpSocket.Open(address, options);
            _associations[address] = association;
            _hasAssociations.Set();
            return socket;
        }
    }

    /// <summary>Aborts: the last packet, if there is one, is in the association's queue on return. No callback comes later.</summary>
    internal void Close(SctpSocket socket)
    {
        lock (_lifecycle)
        {
            socket.Dispose();
            _associations.TryRemove(socket.Address, out _);
            if (_associations.IsEmpty)
                _hasAssociations.Reset();
        }
    }

    private void RunTimers()
    {
        var told = Stopwatch.GetTimestamp();
        for (var round = 0; ; round++)
        {
            if (!_hasAssociations.IsSet)
            {
                _hasAssociations.Wait();
                told = Stopwatch.GetTimestamp();        // time that passed without associations is none of the library's
            }
            Thread.Sleep(_tick);
            var elapsed = (uint)Stopwatch.GetElapsedTime(told).TotalMilliseconds;
            told += elapsed * (Stopwatch.Frequency / 1000);
            lock (_lifecycle)
                UsrSctp.HandleTimers(elapsed);
            TickAll(round % 5 == 0);
        }
    }

    /// <summary>
    /// Hands on what the timers led to, with no lock held. Notifications that no packet announces are rare: every fifth round looks for them. A method of
    /// its own, because a thread that waits keeps alive what its frame still names.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TickAll(bool isPoll)
    {
        foreach (var (_, association) in _associations)
            association.OnTick(isPoll);
    }

    [UnmanagedCallersOnly]
    private static int OnOutput(nint address, byte* packet, nuint length, byte typeOfService, byte dontFragment)
    {
        try
        {
            if (_instance.Value._associations.TryGetValue(address, out var association))
                association.OnOutput(new ReadOnlySpan<byte>(packet, (int)length));
            return 0;
        }
        catch (Exception)
        {
            return -1;                                  // an exception must not unwind through native code; SCTP takes it as a lost packet
        }
    }
}
