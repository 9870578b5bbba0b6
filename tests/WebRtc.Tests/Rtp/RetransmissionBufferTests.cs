using System.Diagnostics;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Rtp;

namespace VoiceGrains.WebRtc.Tests.Rtp;

public sealed class RetransmissionBufferTests
{
    private readonly ManualClock _clock = new();
    private readonly byte[] _copy = new byte[1_500];
    private readonly RetransmissionBuffer _buffer;

    public RetransmissionBufferTests() => _buffer = new RetransmissionBuffer(_clock);

    [Fact]
    public void APacket_IsGivenOutUnchanged_Twice()
    {
        _buffer.Keep(65_535, [1, 2, 3]);
        _buffer.Keep(0, [4]);
        Assert.Equal([1, 2, 3], Take(65_535));
        Assert.Equal([1, 2, 3], Take(65_535));
        Assert.Null(Take(65_535));
        Assert.Equal([4], Take(0));
        Assert.Null(Take(1));
    }

    [Fact]
    public void OnlyTheLatest_AreKept()
    {
        for (ushort sequence = 0; sequence <= RetransmissionBuffer.Slots; sequence++)
            _buffer.Keep(sequence, new byte[sequence + 1]);
        Assert.Null(Take(0));
        Assert.Equal(2, Take(1)!.Length);
        Assert.Equal(RetransmissionBuffer.Slots + 1, Take(RetransmissionBuffer.Slots)!.Length);
    }

    [Fact]
    public void WhoAsksForEverything_GetsLessThanTheStreamItself()
    {
        var given = 0;
        for (ushort sequence = 0; sequence < 1_000; sequence++)         // 20 s
        {
            _buffer.Keep(sequence, [1]);
            for (var back = 0; back < 17; back++)
                given += Take((ushort)(sequence - back)) is null ? 0 : 1;
            _clock.Advance(TimeSpan.FromMilliseconds(20));
        }
        Assert.InRange(given, 20 * RetransmissionBuffer.ResendsPerSecond - 5, 20 * RetransmissionBuffer.ResendsPerSecond + RetransmissionBuffer.ResendBurst);
    }

    [Fact]
    public void Keeping_AllocatesNothing_OnceTheLengthsAreKnown()
    {
        byte[] packet = new byte[150];
        for (ushort sequence = 0; sequence < 100; sequence++)
            _buffer.Keep(sequence, packet);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (ushort sequence = 100; sequence < 400; sequence++)
        {
            _buffer.Keep(sequence, packet);
            _buffer.TryTake(sequence, _copy, out _);
        }
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public async Task WhileOneThreadKeeps_AnotherNeverSeesHalfAPacket()
    {
        var (stop, kept) = (false, 0);
        var keeping = Task.Run(() =>
        {
            var packet = new byte[1_200];
            for (var number = 0; !Volatile.Read(ref stop); number++)
            {
                packet.AsSpan().Fill((byte)(number / RetransmissionBuffer.Slots));
                _buffer.Keep((ushort)number, packet);
                Volatile.Write(ref kept, number);
            }
        }, TestContext.Current.CancellationToken);
        var taken = 0;
        for (var began = Stopwatch.GetTimestamp(); taken < 200 && Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(20); _clock.Advance(TimeSpan.FromMilliseconds(100)))
        {
            if (!_buffer.TryTake((ushort)Volatile.Read(ref kept), _copy, out var length))
                continue;
            taken++;
            Assert.False(_copy.AsSpan(0, length).ContainsAnyExcept(_copy[0]));
        }
        Volatile.Write(ref stop, true);
        await keeping;
        Assert.NotEqual(0, taken);
    }

    private byte[]? Take(ushort sequence) => _buffer.TryTake(sequence, _copy, out var length) ? _copy[..length] : null;
}
