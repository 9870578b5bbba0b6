using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Rtp;

namespace VoiceGrains.WebRtc.Tests.Rtp;

public sealed class RtpStatisticsTests
{
    private const int OpusRate = 48_000;
    private readonly ManualClock _clock = new();

    [Fact]
    public void Loss_IsCountedOverTheWrap_AndAsAFractionSinceTheReportBefore()
    {
        var statistics = new RtpReceiverStatistics(5, OpusRate, _clock);
        for (var number = 65_530; number < 65_540; number++)
        {
            if (number is not (65_533 or 65_537))
                Assert.True(statistics.OnPacket((ushort)number, 0));
        }
        var first = statistics.CreateReport();
        Assert.Equal((5u, (byte)(2 * 256 / 10), 2, 65_536u + 3), (first.Ssrc, first.FractionLost, first.CumulativeLost, first.HighestSequence));
        Assert.Equal((8L, 2L), (statistics.Received, statistics.Lost));

        Assert.True(statistics.OnPacket(65_537 - 65_536, 0));    // a late one is no longer lost
        Assert.Equal(((byte)0, 1L), (statistics.CreateReport().FractionLost, statistics.Lost));
        Assert.True(statistics.OnPacket(3, 0));
        Assert.True(statistics.OnPacket(3, 0));                  // duplicates
        Assert.Equal(-1, statistics.CreateReport().CumulativeLost);
    }

    [Fact]
    public void JumpInSequence_CountsOnlyWhenTheNextPacketFollowsIt()
    {
        var statistics = new RtpReceiverStatistics(5, OpusRate, _clock);
        statistics.OnPacket(10, 0);
        statistics.OnPacket(11, 0);
        Assert.Equal(0, statistics.CreateReport().FractionLost);
        Assert.False(statistics.OnPacket(30_000, 0));
        Assert.True(statistics.OnPacket(12, 0));
        Assert.Equal(0, statistics.Lost);
        Assert.False(statistics.OnPacket(30_000, 0));
        Assert.True(statistics.OnPacket(30_001, 0));
        var report = statistics.CreateReport();
        Assert.Equal((30_001u, 0, 0), (report.HighestSequence, report.CumulativeLost, report.FractionLost));
    }

    [Fact]
    public void Jitter_FollowsAppendixA8()
    {
        var statistics = new RtpReceiverStatistics(5, OpusRate, _clock);
        double expected = 0, before = 0;
        double[] lateMs = [0, 5, 0, 20, 3, 3, 0];
        for (var number = 0; number < lateMs.Length; number++)
        {
            var arrival = TimeSpan.FromMilliseconds((number * 20) + lateMs[number]);
            _clock.Advance(arrival - TimeSpan.FromMilliseconds(number == 0 ? 0 : ((number - 1) * 20) + lateMs[number - 1]));
            statistics.OnPacket((ushort)number, (uint)(number * 960));
            expected += number == 0 ? 0 : (Math.Abs((lateMs[number] - before) * 48) - expected) / 16;
            before = lateMs[number];
        }
        Assert.InRange(statistics.Jitter.TotalSeconds * OpusRate, expected - 1, expected + 1);
        Assert.InRange((double)statistics.CreateReport().Jitter, expected - 2, expected + 1);
        Assert.True(expected > 50);
    }

    [Fact]
    public void RoundTrip_IsThatOfTheExampleInRfc3550()
    {
        // §6.4.1, figure 2: the report left at 11:33:25.125, stayed 5.25 s with the receiver, and was back at 11:33:36.5: a round trip of 6.125 s.
        _clock.Advance(new DateTimeOffset(2036, 11, 10, 11, 33, 25, 125, TimeSpan.Zero) - _clock.GetUtcNow());
        var sender = new RtpSenderStatistics(9, OpusRate, _clock);
        var receiver = new RtpReceiverStatistics(9, OpusRate, _clock);
        Assert.Null(sender.RoundTrip);
        Assert.False(sender.TryCreateReport(out _));
        sender.OnSent(1000, 80);
        Assert.True(sender.TryCreateReport(out var report));
        Assert.Equal(new RtcpSenderInfo(9, NtpTime.From(_clock.GetUtcNow()), 1000, 1, 80), report);

        _clock.Advance(TimeSpan.FromSeconds(3));
        receiver.OnPacket(1, 1000);
        receiver.OnSenderReport(report);
        _clock.Advance(TimeSpan.FromSeconds(5.25));
        var block = receiver.CreateReport();
        Assert.Equal(0x0005_4000u, block.DelaySinceLastSenderReport);
        _clock.Advance(TimeSpan.FromSeconds(3.125));
        sender.OnReport(block);
        Assert.InRange(sender.RoundTrip!.Value.TotalSeconds, 6.1249, 6.1251);
    }

    [Fact]
    public void NtpTime_IsThatOfTheExampleInRfc3550()
    {
        var sent = NtpTime.From(new DateTimeOffset(1995, 11, 10, 11, 33, 25, 125, TimeSpan.Zero));
        Assert.Equal(0xB44D_B705_2000_0000, sent);
        Assert.Equal(0xB705_2000, NtpTime.Middle(sent));
        Assert.Equal(0x0005_4000u, NtpTime.Compact(TimeSpan.FromSeconds(5.25)));
        Assert.Equal(uint.MaxValue, NtpTime.Compact(TimeSpan.FromDays(1)));
        Assert.Equal(TimeSpan.FromSeconds(6.125), NtpTime.FromCompact(0x0006_2000));
    }

    [Theory]
    [InlineData(8u, 1u, 0u)]                // about another stream
    [InlineData(9u, 0u, 0u)]                // the receiver has no report of ours yet
    [InlineData(9u, 1u, 0xFFFF_FFFFu)]      // a delay that cannot be
    public void ReportThatMakesNoSense_GivesNoRoundTrip(uint ssrc, uint last, uint delay)
    {
        var sender = new RtpSenderStatistics(9, OpusRate, _clock);
        sender.OnReport(new RtcpReportBlock(ssrc, 128, 40, 0, 480, last, delay));
        Assert.Null(sender.RoundTrip);
        Assert.Equal(ssrc == 9 ? (0.5, 40, TimeSpan.FromMilliseconds(10)) : (0, 0, TimeSpan.Zero), (sender.FractionLost, sender.CumulativeLost, sender.RemoteJitter));
    }

    [Fact]
    public void SenderReport_GoesOnFromTheLatestPacket()
    {
        var sender = new RtpSenderStatistics(9, OpusRate, _clock);
        sender.OnSent(uint.MaxValue - 100, 80);
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(sender.TryCreateReport(out var info));
        Assert.Equal(480u - 101, info.RtpTimestamp);
    }

    [Fact]
    public async Task ReadersOnOtherThreads_SeeWholeValues()
    {
        var published = new Published<(long A, long B, long C)>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var writer = Task.Run(() =>
        {
            for (var value = 0L; !stop.IsCancellationRequested; value++)
                published.Write((value, value, value));
        }, TestContext.Current.CancellationToken);
        for (var round = 0; round < 20_000; round++)
        {
            var (a, b, c) = published.Read();
            Assert.True(a == b && b == c);
        }
        await stop.CancelAsync();
        await writer;
    }

    [Fact]
    public void CountingPackets_AllocatesNothing()
    {
        var receiver = new RtpReceiverStatistics(9, OpusRate, _clock);
        var sender = new RtpSenderStatistics(9, OpusRate, _clock);
        Count(receiver, sender, 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var number = 1; number < 1000; number++)
            Count(receiver, sender, number);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static void Count(RtpReceiverStatistics receiver, RtpSenderStatistics sender, int number)
    {
        receiver.OnPacket((ushort)number, (uint)(number * 960));
        sender.OnSent((uint)(number * 960), 80);
        _ = sender.TryCreateReport(out var info);
        receiver.OnSenderReport(info);
        sender.OnReport(receiver.CreateReport());
    }
}
