using System.Net;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Tests.Transport;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Tests.Ice;

public sealed class IceLiteAgentTests
{
    private static readonly byte[] Media = [128, 111, 0, 1];
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly IceRig _rig = new(maxPairs: 4);

    private IceLiteAgent Agent => _rig.Agent;

    [Fact]
    public void Credentials_AreLongAndOneOfAKind()
    {
        var all = Enumerable.Range(0, 200).Select(_ => _rig.CreateAgent(new TestSink()).Local).ToList();

        Assert.Equal(200, all.Select(one => one.UsernameFragment).Distinct().Count());
        Assert.Equal(200, all.Select(one => one.Password).Distinct().Count());
        Assert.All(all, one => Assert.Matches("^[A-Za-z0-9+/]{8}$", one.UsernameFragment));
        Assert.All(all, one => Assert.Matches("^[A-Za-z0-9+/]{24}$", one.Password));
        Assert.All(all, one => Assert.DoesNotContain(one.Password, one.ToString()));
    }

    [Fact]
    public void TheLatestNomination_IsWhereMediaGoes()
    {
        var (first, second) = (_rig.From(1), _rig.From(2));

        _rig.Check(first);
        _rig.Check(second);
        _rig.Check(first, useCandidate: false);
        Assert.True(Agent.TrySend(Media));
        _rig.Check(first);
        Assert.True(Agent.TrySend(Media));

        Assert.Equal([Media], second.Sent);
        Assert.Equal([Media], first.Sent);
        Assert.Equal(first.Remote.ToEndPoint(), Agent.SelectedRemote);
        Assert.Equal([IceState.Connected], _rig.Sink.States);
    }

    [Fact]
    public void BeforeTheNomination_TheValidatedPathAnswers_ButIsNotConnected()
    {
        var origin = _rig.From(1);
        Assert.False(Agent.TrySend(Media));

        _rig.Check(origin, useCandidate: false);

        Assert.True(Agent.TrySend(Media));
        Assert.Equal([Media], origin.Sent);
        Assert.Equal(IceState.New, Agent.State);
        Assert.Null(Agent.SelectedRemote);
        Assert.Empty(_rig.Sink.States);
    }

    [Fact]
    public void AnyValidatedAddressMaySend_NoOtherMay()
    {
        var (nominated, valid, stranger) = (_rig.From(1), _rig.From(2), _rig.From(3));
        _rig.Check(nominated);
        _rig.Check(valid, useCandidate: false);

        _rig.Router.Route(nominated, [128, 111, 1]);
        _rig.Router.Route(valid, [22, 254, 253]);
        _rig.Router.Route(stranger, [128, 111, 3]);
        _rig.Router.Route(stranger, [22, 254, 253]);
        _rig.Router.Route(nominated, [70, 0, 0]);    // a TURN channel: nobody's here

        Assert.Equal(["806F01", "16FEFD"], _rig.Sink.Datagrams.Select(Convert.ToHexString));
        Assert.Equal(2, _rig.Counters.Count(DropReason.NotValidated));
        Assert.Equal(1, _rig.Counters.Count(DropReason.UnknownKind));
    }

    [Fact]
    public void WithoutChecksFor30Seconds_NothingIsSentOrTaken_AndACheckBringsItBack()
    {
        var origin = _rig.From(1);
        _rig.Check(origin);
        _rig.Clock.Advance(29 * Second);
        Agent.ExpirePairs();
        Assert.True(Agent.TrySend(Media));

        _rig.Clock.Advance(Second);
        Assert.False(Agent.TrySend(Media));
        Agent.ExpirePairs();
        _rig.Router.Route(origin, Media);
        Assert.Equal([IceState.Connected, IceState.Disconnected], _rig.Sink.States);
        Assert.Empty(_rig.Sink.Datagrams);
        Assert.Equal(1, _rig.Counters.Count(DropReason.NoConsent));

        _rig.Check(origin, useCandidate: false);
        Assert.True(Agent.TrySend(Media));
        _rig.Router.Route(origin, Media);
        Assert.Equal([IceState.Connected, IceState.Disconnected, IceState.Connected], _rig.Sink.States);
        Assert.Equal([Media], _rig.Sink.Datagrams);
    }

    [Fact]
    public void MediaIsNoConsent()
    {
        var origin = _rig.From(1);
        _rig.Check(origin);

        for (var i = 0; i < 30; i++)
        {
            _rig.Router.Route(origin, Media);
            _rig.Clock.Advance(Second);
        }

        Assert.False(Agent.TrySend(Media));
    }

    [Fact]
    public void AForgedCheck_IsNoConsent()
    {
        var origin = _rig.From(1);
        _rig.Check(origin);

        _rig.Clock.Advance(29 * Second);
        _rig.Send(origin, new Check(Agent.Local) { Password = "not the password at all!" });
        _rig.Clock.Advance(Second);

        Assert.False(Agent.TrySend(Media));
    }

    [Fact]
    public void ARestart_KeepsTheOldPairUntilANewOneIsNominated()
    {
        var (before, after) = (_rig.From(1), _rig.From(2));
        var old = Agent.Local;
        _rig.Check(before);

        Agent.Restart();
        Assert.NotEqual(old, Agent.Local);
        Assert.True(Agent.TrySend(Media));
        _rig.Clock.Advance(20 * Second);
        _rig.Check(before, to: old);                       // the old pair keeps its consent
        _rig.Clock.Advance(20 * Second);
        _rig.Check(after, useCandidate: false);            // valid, not nominated
        Assert.True(Agent.TrySend(Media));
        Assert.Equal([Media, Media], before.Sent);

        _rig.Check(after);
        Assert.True(Agent.TrySend(Media));
        Assert.Equal([Media], after.Sent);
        _rig.Router.Route(before, Media);                  // on its way when the peer changed over
        Assert.Equal([Media], _rig.Sink.Datagrams);
        Assert.False(_rig.Send(before, new Check(old)));   // the old credentials are gone
        Assert.Equal(1, _rig.Counters.Count(DropReason.UnknownFragment));
        Assert.Equal([IceState.Connected], _rig.Sink.States);
    }

    [Fact]
    public void ARestartOverTheSameAddress_CompletesToo()
    {
        var origin = _rig.From(1);
        var old = Agent.Local;
        _rig.Check(origin);

        Agent.Restart();
        _rig.Check(origin);

        Assert.True(Agent.TrySend(Media));
        Assert.False(_rig.Send(origin, new Check(old)));
    }

    [Fact]
    public void ARestartThatIsRestarted_LeavesThePairInUseAlone_AndNoCredentialsBehind()
    {
        var origin = _rig.From(1);
        var first = Agent.Local;
        _rig.Check(origin);

        Agent.Restart();
        var second = Agent.Local;
        Agent.Restart();

        Assert.False(_rig.Send(origin, new Check(second)));
        _rig.Check(origin, to: first);
        _rig.Check(origin);
        Assert.False(_rig.Send(origin, new Check(first)));
    }

    [Fact]
    public void PairsAreBounded_TheOneNotCheckedForLongestGoes_NeverTheSelectedOne()
    {
        var origins = Enumerable.Range(1, 10).Select(_rig.From).ToList();
        foreach (var origin in origins)
        {
            _rig.Check(origin, useCandidate: origin == origins[0]);
            _rig.Clock.Advance(Second);
        }

        Assert.Equal([origins[0], origins[7], origins[8], origins[9]], origins.Where(origin => origin.Pair is not null));
        Assert.True(Agent.TrySend(Media));
        Assert.Equal([Media], origins[0].Sent);
    }

    [Fact]
    public void PairsWithoutChecks_AreForgotten()
    {
        var (selected, other) = (_rig.From(1), _rig.From(2));
        _rig.Check(selected);
        _rig.Check(other, useCandidate: false);
        _rig.Clock.Advance(20 * Second);
        _rig.Check(selected);
        _rig.Clock.Advance(10 * Second);

        Agent.ExpirePairs();

        Assert.Null(other.Pair);
        Assert.NotNull(selected.Pair);
        Assert.Equal(IceState.Connected, Agent.State);
    }

    [Fact]
    public void WhenTheSelectedPathBreaks_AnotherNominationMends()
    {
        var (tcp, udp) = (_rig.From(1), _rig.From(2));
        _rig.Check(tcp);

        Agent.Remove(tcp.Pair!);
        Assert.Equal(IceState.Disconnected, Agent.State);
        Assert.False(Agent.TrySend(Media));
        _rig.Check(udp);

        Assert.True(Agent.TrySend(Media));
        Assert.Equal([IceState.Connected, IceState.Disconnected, IceState.Connected], _rig.Sink.States);
    }

    [Fact]
    public void ADisposedAgent_IsGoneForEveryone_AndTellsNothingMore()
    {
        var (origin, late) = (_rig.From(1), _rig.From(2));
        var (local, other) = (Agent.Local, _rig.CreateAgent(new TestSink()));
        _rig.Check(origin);

        Agent.Dispose();
        Agent.Dispose();
        Agent.Restart();

        Assert.Equal(IceState.Closed, Agent.State);
        Assert.False(Agent.TrySend(Media));
        Assert.False(_rig.Send(late, new Check(local)));
        Assert.Null(origin.Pair);
        Assert.True(_rig.Send(origin, new Check(other.Local)));   // its address is free
        Assert.Equal([IceState.Connected], _rig.Sink.States);
    }

    [Fact]
    public void TheSinkMayUseAndCloseTheAgent()
    {
        var origin = _rig.From(1);
        _rig.Check(origin);
        _rig.Sink.OnDelivery = () =>
        {
            Agent.TrySend(Media);
            Agent.Restart();
            Agent.Dispose();
        };

        _rig.Router.Route(origin, Media);
        _rig.Router.Route(origin, Media);

        Assert.Equal([Media], _rig.Sink.Datagrams);
        Assert.Equal([Media], origin.Sent);
    }

    [Fact]
    public void RemoteCredentials_TellWhetherAnOfferRestarts()
    {
        Assert.Null(Agent.Remote);
        Agent.SetRemote(new IceCredentials("abcd", "0123456789012345678901"));
        Assert.Equal(new IceCredentials("abcd", "0123456789012345678901"), Agent.Remote);
    }

    [Fact]
    public void MediaAndChecks_AllocateNothing()
    {
        var origin = new Silent();
        var check = new Check(Agent.Local).ToBytes();
        var sink = new CountingSink();
        using var agent = new IceLiteAgent(_rig.Directory, _rig.Consent, sink, 4, _ => { });
        var ownCheck = new Check(agent.Local).ToBytes();
        _rig.Router.Route(origin, ownCheck);
        Round(200);   // compiled

        var before = GC.GetAllocatedBytesForCurrentThread();
        Round(200);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(800, sink.Datagrams);

        void Round(int count)
        {
            for (var i = 0; i < count; i++)
            {
                _rig.Router.Route(origin, Media);
                _rig.Router.Route(origin, ownCheck);
                _rig.Router.Route(origin, [22, 254, 253]);
                agent.TrySend(Media);
                _rig.Router.Route(Stranger, Media);
                _rig.Router.Route(Stranger, check.AsSpan(0, check.Length - 4));
            }
        }
    }

    private static readonly Silent Stranger = new();

    private sealed class CountingSink : IIceSink
    {
        public int Datagrams { get; private set; }

        public void OnDatagram(ReadOnlySpan<byte> datagram) => Datagrams++;

        public void OnStateChanged(IceState state)
        {
        }
    }

    private sealed class Silent : IcePath, IDatagramOrigin
    {
        public override TransportAddress Remote { get; } = TransportAddress.From(IPEndPoint.Parse("192.0.2.1:7"));

        public IcePair? Pair { get; private set; }

        public bool Reply(ReadOnlySpan<byte> datagram) => true;

        public IcePath OpenPath() => this;

        public override bool TrySend(ReadOnlySpan<byte> datagram) => true;

        public override void Bind(IcePair pair) => Pair = pair;

        public override void Unbind(IcePair pair) => Pair = null;
    }
}
