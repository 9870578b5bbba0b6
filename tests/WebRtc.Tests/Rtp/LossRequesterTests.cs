using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Rtp;

namespace VoiceGrains.WebRtc.Tests.Rtp;

/// <summary>Packets of 20 ms that come on time, but for those left out.</summary>
public sealed class LossRequesterTests
{
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(30);
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(100);
    private readonly ManualClock _clock = new();
    private readonly LossRequester _losses;

    public LossRequesterTests() => _losses = new LossRequester(_clock);

    [Fact]
    public void AGap_IsAskedForAtOnce_AndOnceMoreAfterARoundTrip()
    {
        Arrive(1);
        Arrive(4, packets: 3);
        Assert.Equal([2, 3], Choose());
        Assert.Equal([], Choose());
        Arrive(5);
        Arrive(6);
        Assert.Equal([3], Choose());                // 2 would come too late by now
    }

    [Fact]
    public void ASecondRequest_IsTheLast()
    {
        Arrive(1);
        Arrive(3, packets: 2);
        Assert.Equal([2], Choose(TimeSpan.FromMilliseconds(10)));
        Arrive(4);
        Assert.Equal([2], Choose(TimeSpan.FromMilliseconds(10)));
        Arrive(5);
        Assert.Equal([], Choose(TimeSpan.FromMilliseconds(10)));
        Assert.True(_losses.HasMissing);            // and may still come
        Assert.True(_losses.OnPacket(2, 2 * 960));
        Assert.False(_losses.HasMissing);
    }

    [Theory]
    [InlineData(75, 45, true)]      // 20 ms late already, and 50 ms until the copy is here
    [InlineData(69, 45, false)]
    [InlineData(200, 500, false)]
    [InlineData(0, 1, false)]       // nobody listens
    public void WhatWouldComeTooLate_IsNotAskedFor(int playoutDelayMs, int roundTripMs, bool isAsked)
    {
        Arrive(1);
        Arrive(3, packets: 2);
        var chosen = _losses.Choose(TimeSpan.FromMilliseconds(roundTripMs), TimeSpan.FromMilliseconds(playoutDelayMs));
        Assert.Equal(isAsked ? [2] : [], chosen.ToArray());
        Assert.Equal(isAsked, _losses.HasMissing);
    }

    [Fact]
    public void Reordering_IsNoLoss_OnceThePacketIsHere()
    {
        Arrive(65_535);
        Arrive(1, packets: 2);
        Assert.True(_losses.HasMissing);
        Assert.False(_losses.OnPacket(0, 0));       // was not asked for
        Assert.False(_losses.OnPacket(0, 0));
        Assert.Equal([], Choose());
        Arrive(3, packets: 2);
        Assert.Equal([2], Choose());
    }

    [Fact]
    public void ALongGap_AndAJump_AreNotAskedFor()
    {
        Arrive(1);
        Arrive(2 + LossRequester.MostMissing + 1, packets: 1);
        Assert.False(_losses.HasMissing);
        Arrive(40_000);
        Arrive(20_000);
        Assert.False(_losses.HasMissing);
        Arrive(20_002, packets: 2);
        Assert.Equal([20_001], Choose());
    }

    [Fact]
    public void HeavyLoss_IsAskedForWithinTheAllowance()
    {
        var asked = 0;
        ushort sequence = 0;
        Arrive(sequence);
        for (var i = 0; i < 500; i++)               // every other packet is lost, for 20 s
        {
            Arrive(sequence += 2, packets: 2);
            asked += Choose().Length;
        }
        Assert.InRange(asked, 20 * LossRequester.RequestsPerSecond - 5, 20 * LossRequester.RequestsPerSecond + LossRequester.RequestBurst);
    }

    [Fact]
    public void AnyOrderOfNumbers_AsksOnlyForWhatIsMissing()
    {
        foreach (var seed in FuzzTime.Cases(200))
        {
            var random = new Random(seed);
            var losses = new LossRequester(_clock);
            ushort at = (ushort)random.Next(65_536);
            for (var i = 0; i < 60; i++)
            {
                at += (ushort)random.Next(random.Next(10) == 0 ? 65_536 : 12);
                var sequence = (ushort)(at - random.Next(6));
                losses.OnPacket(sequence, (uint)random.NextInt64());
                _clock.Advance(TimeSpan.FromMilliseconds(random.Next(30)));
                var chosen = losses.Choose(TimeSpan.FromMilliseconds(random.Next(60)), TimeSpan.FromMilliseconds(random.Next(400)));
                Assert.InRange(chosen.Length, 0, LossRequester.MostMissing);
                for (var j = 0; j < chosen.Length; j++)
                {
                    Assert.NotEqual(sequence, chosen[j]);
                    if (j > 0)
                        Assert.InRange((short)(chosen[j] - chosen[j - 1]), 1, short.MaxValue);
                }
            }
        }
    }

    /// <param name="packets">How many packets' time has passed since the one before.</param>
    private void Arrive(ushort sequence, int packets = 1)
    {
        _clock.Advance(TimeSpan.FromMilliseconds(20 * packets));
        _losses.OnPacket(sequence, sequence * 960u);
    }

    private ushort[] Choose(TimeSpan? roundTrip = null) => _losses.Choose(roundTrip ?? RoundTrip, Delay).ToArray();
}
