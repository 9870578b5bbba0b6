using System.Net.WebSockets;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Silo.LiveKit;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>What time brings about in a room, by a clock that is moved.</summary>
public sealed class RoomPresenceTests : ClockedRoomTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task AClientThatNeverComes_IsGivenUp_ButHasNotHungUp()
    {
        Pass(29);
        Assert.False(_room.Started.IsCompleted);
        Pass(2);
        Assert.Equal((false, false, MediaEnd.Lost), (await _room.Started, _room.WasEndedByUser, await _media));
    }

    [Fact]
    public async Task AClientWithoutMedia_IsLostAfterTheGrace_AndNotBefore()
    {
        var peer = Connect(out _);
        Assert.True(await _room.Started);
        Pass(100);
        peer.Connect(false);
        Pass(19);
        peer.Connect();
        Pass(100);
        peer.Connect(false);
        Pass(19);
        Assert.False(_media.IsCompleted);
        Pass(2);
        Assert.Equal(MediaEnd.Lost, await _media);
    }

    [Fact]
    public void WhatTheClientMissesOfTheAgent_IsSentAgainInTheNextPackets_UntilItIsNotMissed()
    {
        var peer = Connect(out _);
        Pass(6);
        Assert.Equal(0, _room.Port.ExpectedLossPercent);
        List<int> expected = [];
        foreach (var loss in (double[])[0.041, 0.9, 0.05, 0, 0])
        {
            peer.Quality = new PeerQuality(loss, TimeSpan.Zero, loss);
            Pass(5);
            expected.Add(_room.Port.ExpectedLossPercent);
        }
        Assert.Equal([5, 25, 15, 7, 3], expected);
    }

    [Fact]
    public async Task APageThatGoesAway_MayComeBack_AndHasHungUpOtherwise()
    {
        Connect(out var signal);
        var page = OpenJoinSocket();
        signal.Send(new SignalRequest { Leave = new LeaveRequest() });      // as pages say when they are closed, or loaded again
        await UntilEmptyAsync();
        page.CloseBy(WebSocketCloseStatus.EndpointUnavailable);
        await _serving[^1].WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.True(_room.MayReturn);
        Pass(19);
        OpenJoinSocket();
        var again = Connect(out _);
        Pass(100);
        Assert.False(_media.IsCompleted);
        again.Connect(false);
        _sockets[^2].CloseBy(WebSocketCloseStatus.EndpointUnavailable);
        await UntilEmptyAsync();
        Pass(19);
        Assert.False(_media.IsCompleted);
        Pass(2);
        Assert.Equal(MediaEnd.ClosedByClient, await _media);
    }

    [Fact]
    public async Task APageThatIsBackBeforeTheEndOfItsFormerSocketIs_IsLetIn_AndASecondClientIsNot()
    {
        var peer = Connect(out _);
        var page = OpenJoinSocket();
        peer.Speak(new short[320]);             // and goes on
        var second = _room.MayReturnSoonAsync(TestContext.Current.CancellationToken);
        await UntilAsync(second);
        Assert.False(await second);

        var again = _room.MayReturnSoonAsync(TestContext.Current.CancellationToken);
        Assert.False(again.IsCompleted);
        page.CloseBy(WebSocketCloseStatus.EndpointUnavailable);
        await _serving[^1].WaitAsync(Patience, TestContext.Current.CancellationToken);
        await UntilAsync(again);
        Assert.True(await again);

        Task UntilAsync(Task task) => Poll.UntilAsync(() =>
        {
            _clock.Advance(TimeSpan.FromMilliseconds(20));
            peer.Speak(new short[320]);
            return task.IsCompleted;
        }, () => "It waits for ever.");
    }

    /// <summary>Told to connect anew, clients do so at once: the conversation that they leave may still be storing its end.</summary>
    [Fact]
    public async Task WhoeverComesWhileTheServerGoes_IsSentToAnother_AndTheCallIsNotOverForIt()
    {
        Connect(out _);
        Assert.False(_room.IsOver);
        _room.Close(mayReturn: true);
        var late = Enter();
        await UntilSentAsync(late, message => message.Leave is { Action: LeaveRequest.Types.Action.Reconnect, Reason: DisconnectReason.ServerShutdown });
        Assert.Equal((true, false), (_room.IsOver, await _room.MayReturnSoonAsync(TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task ALeaveWhoseJoinSocketStaysOpen_IsAHangUp()
    {
        Connect(out var signal);
        OpenJoinSocket();
        signal.Send(new SignalRequest { Leave = new LeaveRequest() });
        await UntilEmptyAsync();
        Pass(1);
        Assert.False(_media.IsCompleted);
        Pass(2);
        Assert.Equal(MediaEnd.ClosedByClient, await _media);
    }

    /// <summary>Without a join socket, a client that makes a new connection, a page that is loaded again and a hang-up all begin with the same good-bye.</summary>
    [Fact]
    public async Task ALeaveWithoutAJoinSocket_IsAHangUp_UnlessTheClientEntersAgainSoon()
    {
        Connect(out var signal);
        signal.Send(new SignalRequest { Leave = new LeaveRequest { Reason = DisconnectReason.ClientInitiated } });
        await UntilEmptyAsync();
        Pass(4);
        Connect(out var again);
        Pass(60);
        Assert.False(_media.IsCompleted);
        again.Send(new SignalRequest { Leave = new LeaveRequest { Reason = DisconnectReason.ClientInitiated } });
        await UntilEmptyAsync();
        Pass(4);
        Assert.False(_media.IsCompleted);
        Pass(2);
        Assert.Equal((MediaEnd.ClosedByClient, true), (await _media, _room.WasEndedByUser));
    }

    [Fact]
    public async Task AParticipantWhosePeerEnded_IsAskedForANewConnection_AndKeepsItsCall()
    {
        var first = Connect(out var signal);
        first.End();
        await UntilDisposedAsync(first);
        Assert.Equal(1, _room.Participants);        // its client knows it best when to come back
        signal.Send(new SignalRequest { Offer = new SessionDescription { Sdp = "restart", Id = 2 } });
        await UntilSentAsync(signal, message => message.Leave?.Action == LeaveRequest.Types.Action.Reconnect);
        signal.Send(new SignalRequest { Leave = new LeaveRequest() });      // as clients do before they enter anew
        Pass(10);
        var second = Connect(out _);
        first.Connect();        // of whom nothing counts any more
        first.End();
        Pass(100);
        Assert.False(_media.IsCompleted);
        Assert.Equal((2, false), (_peers.All.Count, second.IsDisposed));
    }

    [Fact]
    public async Task AnOfferThatOnlyAnotherConnectionCouldAnswer_GetsOne_AndIsNoOffence()
    {
        Connect(out var signal);
        signal.Send(new SignalRequest { Offer = new SessionDescription { Sdp = "another connection's", Id = 2 } });
        await UntilSentAsync(signal, message => message.Leave is { Action: LeaveRequest.Types.Action.Reconnect, Reason: DisconnectReason.StateMismatch });
        Connect(out _);
        Pass(100);
        Assert.False(_media.IsCompleted);
    }

    /// <summary>Nothing was ever agreed on with it, so that the client's connection may still come up with another.</summary>
    [Fact]
    public async Task APeerThatNeverConnected_IsReplacedByTheNextOffers()
    {
        var signal = Enter();
        _peers.All[0].End();
        await UntilDisposedAsync(_peers.All[0]);
        signal.Send(new SignalRequest { Offer = new SessionDescription { Sdp = "again", Id = 2 } });
        await UntilSentAsync(signal, message => message.Answer?.Id == 2);
        Assert.Equal(["again"], _peers.All[1].Offers);
        _peers.All[1].Connect();
        Assert.True(await _room.Started);
    }

    [Fact]
    public async Task TheTokenOfALongCall_IsRenewed_AndStillStartsIt()
    {
        Connect(out var signal);
        Pass(29 * 60);
        Assert.DoesNotContain(Sent(signal), message => message.MessageCase == SignalResponse.MessageOneofCase.RefreshToken);
        Pass(2 * 60);
        await UntilSentAsync(signal, message => message.MessageCase == SignalResponse.MessageOneofCase.RefreshToken);
        _clock.Advance(TimeSpan.FromMinutes(50));       // past the first one's end
        Assert.True(_tokens.TryVerify(Sent(signal).Last(message => message.MessageCase == SignalResponse.MessageOneofCase.RefreshToken).RefreshToken, out var grant, out _));
        Assert.Equal(("call", "user", "join"), (grant.Room, grant.Identity, grant.JoinToken));
    }

    /// <summary>Everybody in the room is sent all of it each time that some of it changes.</summary>
    [Fact]
    public async Task WhatAParticipantTellsOfItself_IsBounded_AlsoBitByBit()
    {
        var signal = Enter();
        async Task<RequestResponse> UpdateAsync(uint id, string name, int length, int more = 0)
        {
            var update = new UpdateParticipantMetadata { RequestId = id, Attributes = { [name] = new string('x', length) } };
            for (var i = 0; i < more; i++) update.Attributes[$"a{i}"] = "x";
            signal.Send(new SignalRequest { UpdateMetadata = update });
            await UntilSentAsync(signal, message => message.RequestResponse?.RequestId == id);
            return Sent(signal).Last(message => message.RequestResponse?.RequestId == id).RequestResponse;
        }

        for (uint i = 1; i <= 3; i++) Assert.Equal(RequestResponse.Types.Reason.Ok, (await UpdateAsync(i, $"text{i}", 5_000)).Reason);
        var refused = await UpdateAsync(4, "text4", 5_000);
        Assert.Equal((RequestResponse.Types.Reason.LimitExceeded, "Metadata and attributes are at most 16384 characters, 64 attributes, a name 256."), (refused.Reason, refused.Message));
        Assert.Equal(RequestResponse.Types.Reason.Ok, (await UpdateAsync(5, "text3", 6_000)).Reason);       // in place of the one before
        Assert.Equal(RequestResponse.Types.Reason.Ok, (await UpdateAsync(6, "text3", 0)).Reason);
        Assert.Equal(RequestResponse.Types.Reason.Ok, (await UpdateAsync(7, "text4", 5_000)).Reason);
        Assert.Equal(RequestResponse.Types.Reason.Ok, (await UpdateAsync(8, "text1", 1, more: 61)).Reason);
        Assert.Equal(RequestResponse.Types.Reason.LimitExceeded, (await UpdateAsync(9, "text5", 1)).Reason);
        Assert.Equal(64, Sent(signal).Last(message => message.Update is not null).Update.Participants[0].Attributes.Count);
    }

    [Theory]
    [InlineData(0, 20, 2)]
    [InlineData(0.03, 20, 1)]
    [InlineData(0.5, 20, 0)]
    [InlineData(1, 60_000, 0)]      // never as lost: clients throw such a connection away
    [InlineData(0, 300, 1)]
    public void Quality_IsThatOfPacketsAndDelay(double loss, int roundTripMs, int expected)
        => Assert.Equal((ConnectionQuality)expected, CallRoom.Rate(new PeerQuality(loss, TimeSpan.FromMilliseconds(roundTripMs))));
}
