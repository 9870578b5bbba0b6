using System.Text;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Stun;
using VoiceGrains.WebRtc.Tests.Transport;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Tests.Ice;

/// <summary>What is answered to whom.</summary>
public sealed class IceCheckResponderTests
{
    private readonly IceRig _rig = new();

    [Fact]
    public void ACheck_IsAnsweredWithTheAddressThatItCameFrom()
    {
        var (origin, check) = (_rig.From(5), new Check(_rig.Agent.Local));

        Assert.True(_rig.Send(origin, check));

        UdpPeer.AssertSuccess(check, Assert.Single(origin.Replies), origin.Remote.ToEndPoint());
        Assert.Equal(1, _rig.Counters.Count(DatagramKind.Stun));
    }

    [Fact]
    public void AStrangersCheck_IsNotAnswered_AndCounted()
    {
        var local = _rig.Agent.Local;
        AssertSilent(new Check(local) { Username = "Zzzzzzzz:Peer" }, DropReason.UnknownFragment);
        AssertSilent(new Check(local) { Username = local.UsernameFragment }, DropReason.UnknownFragment);           // no colon
        AssertSilent(new Check(local) { Username = $"x{local.UsernameFragment}:Peer" }, DropReason.UnknownFragment);
        AssertSilent(new Check(local) { Username = local.UsernameFragment[..7] + ":Peer" }, DropReason.UnknownFragment);
        AssertSilent(new Check(local) { Password = "a wrong password 00000000" }, DropReason.WrongIntegrity);
        AssertSilent(new Check(local) { WithFingerprint = false }, DropReason.WrongFingerprint);
        AssertSilent(new Check(local) { Class = StunClass.SuccessResponse }, DropReason.UnexpectedStun);
        AssertSilent(new Check(local) { Class = StunClass.ErrorResponse }, DropReason.UnexpectedStun);
        AssertSilent(new Check(local) { Class = StunClass.Indication }, DropReason.UnexpectedStun);

        Assert.Equal(IceState.New, _rig.Agent.State);
        Assert.False(_rig.Agent.TrySend([128]));
    }

    [Fact]
    public void AKnownFragmentWithoutIntegrity_Gets400_WithoutIntegrityOfOurs()
    {
        var origin = _rig.From(5);

        Assert.False(_rig.Send(origin, new Check(_rig.Agent.Local) { WithIntegrity = false }));

        Assert.Equal(400, origin.ErrorCode());
        Assert.True(StunMessage.TryParse(origin.Replies[0], out var answer, out _));
        Assert.False(answer.HasIntegrity);
        Assert.Equal(IceState.New, _rig.Agent.State);
        Assert.Equal(1, _rig.Counters.CountRefused(400));
    }

    [Fact]
    public void ANewAddressWithoutPriority_Gets400_AKnownOneDoesNotNeedIt()
    {
        var origin = _rig.From(5);

        Assert.False(_rig.Send(origin, new Check(_rig.Agent.Local) { Priority = null }));
        Assert.Equal(400, origin.ErrorCode());
        _rig.Check(origin);
        Assert.True(_rig.Send(origin, new Check(_rig.Agent.Local) { Priority = null }));
    }

    [Fact]
    public void AnUnknownAttributeThatMustBeUnderstood_Gets420_ThatNamesIt()
    {
        var origin = _rig.From(5);

        Assert.False(_rig.Send(origin, new Check(_rig.Agent.Local) { ExtraAttribute = 0x7001 }));

        Assert.Equal(420, origin.ErrorCode());
        AssertAuthentic(origin);
        Assert.Contains("000a00027001", Convert.ToHexStringLower(origin.Replies[0]));
        Assert.Null(origin.Pair);
    }

    [Fact]
    public void AnAgentThatBelievesToBeControlled_Gets487_SinceALiteAgentCannotNominate()
    {
        var origin = _rig.From(5);

        Assert.False(_rig.Send(origin, new Check(_rig.Agent.Local) { IsControlled = true }));

        Assert.Equal(487, origin.ErrorCode());
        AssertAuthentic(origin);
        Assert.Null(origin.Pair);
    }

    [Fact]
    public void NoAnswerIsLongerThanItsRequest()
    {
        foreach (var origin in (FakeOrigin[])[_rig.From(5), new(System.Net.IPEndPoint.Parse("[2001:db8::1]:9"))])
        {
            for (var variant = 0; variant < 128; variant++)
            {
                var check = new Check(_rig.Agent.Local)
                {
                    Username = (variant & 1) != 0 ? _rig.Agent.Local.UsernameFragment + ":" : null,
                    Priority = (variant & 2) != 0 ? null : 1,
                    IsControlled = (variant & 4) != 0,
                    ExtraAttribute = (variant & 8) != 0 ? (ushort)0x0042 : null,
                    WithIntegrity = (variant & 16) != 0,
                    UseCandidate = (variant & 32) != 0,
                    WithFingerprint = (variant & 64) == 0,
                };
                origin.Replies.Clear();
                _rig.Send(origin, check);
                Assert.All(origin.Replies, reply => Assert.True(reply.Length <= check.ToBytes().Length, check.ToString()));
            }
        }
        Assert.True(_rig.Counters.Count(DatagramKind.Stun) > 0);
    }

    [Fact]
    public void AnAnswerThatWouldBeLonger_IsNotSent_AndCounted()
    {
        var local = _rig.Agent.Local;
        var origin = new FakeOrigin(System.Net.IPEndPoint.Parse("[2001:db8::1]:9"));
        _rig.Check(origin);
        origin.Replies.Clear();
        var writer = new StunWriter(new byte[100], StunClass.Request, StunFormat.Binding, new byte[12]);   // 68 bytes; an IPv6 address makes an answer of 76
        writer.AddUsername(Encoding.ASCII.GetBytes(local.UsernameFragment + ":"));
        writer.AddIntegrity(Encoding.ASCII.GetBytes(local.Password));
        writer.AddFingerprint();

        Assert.True(_rig.Router.Route(origin, writer.Message));

        Assert.Empty(origin.Replies);
        Assert.Equal(1, _rig.Counters.Count(DropReason.WouldAmplify));
    }

    [Fact]
    public void ASmallRequest_GetsItsErrorWithoutThePhrase()
    {
        var local = _rig.Agent.Local;
        var writer = new StunWriter(new byte[100], StunClass.Request, StunFormat.Binding, new byte[12]);
        writer.AddUsername(Encoding.ASCII.GetBytes(local.UsernameFragment + ":"));
        writer.AddBytes((StunAttributeType)0x7001, []);
        writer.AddBytes((StunAttributeType)0x7002, []);
        writer.AddIntegrity(Encoding.ASCII.GetBytes(local.Password));
        writer.AddFingerprint();
        var origin = _rig.From(5);

        Assert.False(_rig.Router.Route(origin, writer.Message));

        Assert.Equal(420, origin.ErrorCode());
        Assert.True(origin.Replies[0].Length <= writer.Length);
    }

    [Fact]
    public void AnAddressCarriesOneCall_UntilItsChecksStop()
    {
        var otherSink = new TestSink();
        var other = _rig.CreateAgent(otherSink);
        var origin = _rig.From(5);
        _rig.Check(origin);
        origin.Replies.Clear();

        Assert.False(_rig.Send(origin, new Check(other.Local)));   // as a caller would do that forges a neighbour's address
        Assert.Empty(origin.Replies);
        Assert.Equal(1, _rig.Counters.Count(DropReason.AddressTaken));
        Assert.Same(_rig.Agent, origin.Pair!.Agent);

        _rig.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.True(_rig.Send(origin, new Check(other.Local)));
        _rig.Router.Route(origin, [128, 111, 1]);
        Assert.Single(otherSink.Datagrams);
        Assert.Empty(_rig.Sink.Datagrams);
        Assert.Equal([IceState.Connected, IceState.Disconnected], _rig.Sink.States);
    }

    private void AssertSilent(Check check, DropReason reason)
    {
        var (origin, before) = (_rig.From(5), _rig.Counters.Count(reason));

        Assert.False(_rig.Send(origin, check));

        Assert.Empty(origin.Replies);
        Assert.Null(origin.Pair);
        Assert.Equal(before + 1, _rig.Counters.Count(reason));
    }

    private void AssertAuthentic(FakeOrigin origin)
    {
        Assert.True(StunMessage.TryParse(origin.Replies[0], out var answer, out _));
        Assert.True(answer.HasValidIntegrity(Encoding.ASCII.GetBytes(_rig.Agent.Local.Password)));
    }
}
