using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Stun;
using VoiceGrains.WebRtc.Tests.Transport;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Tests.Ice;

/// <summary>Everything of an endpoint but its sockets.</summary>
internal sealed class IceRig
{
    public IceRig(int maxPairs = 16)
    {
        Consent = new IceConsent(Clock, TimeSpan.FromSeconds(30));
        Router = new DatagramRouter(new IceCheckResponder(Directory, Consent, Counters), Consent, Counters, NullLogger.Instance);
        Agent = CreateAgent(Sink, maxPairs);
    }

    public ManualClock Clock { get; } = new();

    public IceDirectory Directory { get; } = new();

    public IceConsent Consent { get; }

    public TransportCounters Counters { get; } = new(null, () => [], () => 0);

    public DatagramRouter Router { get; }

    public TestSink Sink { get; } = new();

    public IceLiteAgent Agent { get; }

    public IceLiteAgent CreateAgent(TestSink sink, int maxPairs = 16) => new(Directory, Consent, sink, maxPairs, _ => { });

    /// <summary>A remote address, told by its number.</summary>
    public FakeOrigin From(int number) => new(new IPEndPoint(IPAddress.Parse("192.0.2.1"), number));

    public bool Send(FakeOrigin origin, Check check) => Router.Route(origin, check.ToBytes());

    /// <summary>Sends a check that should succeed, to the newest credentials.</summary>
    public void Check(FakeOrigin origin, bool useCandidate = true, IceCredentials? to = null)
        => Assert.True(Send(origin, new Check(to ?? Agent.Local) { UseCandidate = useCandidate }));
}

internal sealed class FakeOrigin(IPEndPoint remote) : IcePathStub, IDatagramOrigin
{
    public override TransportAddress Remote { get; } = TransportAddress.From(remote);

    public IcePair? Pair { get; private set; }

    public List<byte[]> Replies { get; } = [];

    public bool Reply(ReadOnlySpan<byte> datagram)
    {
        Replies.Add(datagram.ToArray());
        return true;
    }

    public IcePath OpenPath() => this;

    public override void Bind(IcePair pair) => Pair = pair;

    public override void Unbind(IcePair pair) => Pair = Pair == pair ? null : Pair;

    /// <summary>The error code of the only reply.</summary>
    public int ErrorCode()
    {
        Assert.True(StunMessage.TryParse(Assert.Single(Replies), out var message, out _));
        Assert.Equal(StunClass.ErrorResponse, message.Class);
        Assert.True(message.HasValidFingerprint());
        return message.ErrorCode;
    }
}

internal abstract class IcePathStub : IcePath
{
    public List<byte[]> Sent { get; } = [];

    public override bool TrySend(ReadOnlySpan<byte> datagram)
    {
        Sent.Add(datagram.ToArray());
        return true;
    }
}
