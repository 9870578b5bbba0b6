using System.Net;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Tests.Ice;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Tests.Transport;

/// <summary>Mutated checks, media and noise from peers and strangers, against everything of an endpoint but its sockets.</summary>
public sealed class DatagramRouterFuzzTests
{
    private const int MaxPairs = 4;

    [Fact]
    public void WhateverComes_NothingFails_NothingIsAmplified_NothingUnvalidatedIsDelivered()
    {
        var rig = new IceRig(MaxPairs);
        var origins = Enumerable.Range(1, 12).Select(rig.From).Append(new FakeOrigin(IPEndPoint.Parse("[2001:db8::1]:9"))).ToArray();
        foreach (var seed in FuzzTime.Cases())
        {
            var random = new Random(seed);
            var origin = origins[random.Next(origins.Length)];
            var datagram = Datagram(random, rig);
            var (delivered, wasValidated) = (rig.Sink.Datagrams.Count, origin.Pair is not null);
            origin.Replies.Clear();

            rig.Router.Route(origin, datagram);

            var isRight = rig.Counters.Count(DropReason.Failed) == 0
                && origin.Replies.TrueForAll(reply => reply.Length <= datagram.Length) && origin.Replies.Count <= 1
                && (wasValidated || rig.Sink.Datagrams.Count == delivered)
                && origins.Count(other => other.Pair is not null) <= MaxPairs;
            Assert.True(isRight, isRight ? null : $"seed {seed}, {Convert.ToHexStringLower(datagram)}");
            rig.Sink.Datagrams.Clear();
            if (random.Next(500) == 0)
                rig.Agent.Restart();
            if (random.Next(50) == 0)
            {
                rig.Clock.Advance(TimeSpan.FromSeconds(random.Next(20)));
                rig.Agent.ExpirePairs();
            }
            rig.Agent.TrySend(datagram);
            Array.ForEach(origins, other => other.Sent.Clear());
        }
        Assert.True(rig.Counters.Count(DatagramKind.Stun) > 0, "The fuzz never came past the checksums.");
    }

    private static byte[] Datagram(Random random, IceRig rig)
    {
        var check = new Check(rig.Agent.Local)
        {
            UseCandidate = random.Next(2) == 0,
            IsControlled = random.Next(5) == 0,
            Priority = random.Next(5) == 0 ? null : 1,
            ExtraAttribute = random.Next(5) == 0 ? (ushort)random.Next(65_536) : null,
            WithIntegrity = random.Next(5) != 0,
            WithFingerprint = random.Next(5) != 0,
        };
        var noise = new byte[random.Next(100)];
        random.NextBytes(noise);
        return random.Next(4) switch
        {
            0 => check.ToBytes(),
            1 => FuzzTime.Mutate(random, check.ToBytes()),
            2 => [128, 111, .. noise],
            _ => noise,
        };
    }
}
