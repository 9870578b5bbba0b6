using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Webhooks;

namespace VoiceGrains.Grains.Tests.Calls;

public sealed class CallStateTests
{
    private static readonly DateTimeOffset Created = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private const string Token = "the-token";
    private const string Host = "host-1";

    [Fact]
    public void TheRightTokenInTime_JoinsOnce()
    {
        var call = NewCall();
        Assert.Equal(JoinResult.Joined, call.TryJoin(Token, "sdk 1.2", Host, Created.AddSeconds(29.999)));
        Assert.Equal(Created.AddSeconds(29.999), call.Joined);
        Assert.Equal("sdk 1.2", call.ClientVersion);
        Assert.True(call.IsLive);
        Assert.Equal(JoinResult.Expired, call.TryJoin(Token, "another", Host, Created.AddSeconds(29.9995)));
        Assert.Equal("sdk 1.2", call.ClientVersion);
    }

    [Fact]
    public void EachMilestone_IsBroughtOnce_AndIsNotPartOfWhatIsStored()
    {
        var call = NewCall();
        Assert.Equal(CallMilestones.Started, Take());
        call.TryJoin(Token, null, Host, Created);
        Assert.Equal(CallMilestones.Joined, Take());
        call.TryInterrupt(Created.AddSeconds(1));
        call.TryJoin(Token, null, Host, Created.AddSeconds(2));
        Assert.Equal(CallMilestones.None, Take());
        call.TryEnd(new CallOutcome(EndReason.Hangup), Created.AddSeconds(3));
        call.TryEnd(new CallOutcome(EndReason.Timeout), Created.AddSeconds(4));
        Assert.DoesNotContain("ilestone", JsonSerializer.Serialize(call), StringComparison.Ordinal);
        Assert.Equal(CallMilestones.Ended, Take());
        call.Summarize(SummaryStatus.Pending, "stands in", "stands in");
        Assert.Equal(CallMilestones.Summarized, Take());

        CallMilestones Take()
        {
            var brought = call.Milestones;
            call.Milestones = CallMilestones.None;
            return brought;
        }
    }

    [Fact]
    public void AWrongToken_IsRefusedAlikeWhateverTheState()
    {
        var call = NewCall();
        Assert.Equal(JoinResult.Refused, call.TryJoin("another", null, Host, Created));
        Assert.Null(call.Joined);
        call.TryJoin(Token, null, Host, Created);
        Assert.Equal(JoinResult.Refused, call.TryJoin("another", null, Host, Created));
        call.TryEnd(new CallOutcome(EndReason.Hangup), Created.AddSeconds(1));
        Assert.Equal(JoinResult.Refused, call.TryJoin("another", null, Host, Created));
        Assert.Equal(JoinResult.Refused, call.TryJoin("", null, Host, Created));
    }

    [Fact]
    public void ALateToken_HasExpired()
    {
        var call = NewCall();
        Assert.Equal(JoinResult.Expired, call.TryJoin(Token, null, Host, Created.AddSeconds(30)));
        Assert.Null(call.Joined);
    }

    [Fact]
    public void ACallThatNobodyJoined_EndsUnjoinedAndFree()
    {
        var call = NewCall();
        Assert.True(call.TryEnd(new CallOutcome(EndReason.Hangup), Created.AddSeconds(30)));
        Assert.Equal(EndReason.Unjoined, call.EndReason);
        Assert.Equal(TimeSpan.Zero, call.BilledDuration());
        Assert.Equal(SummaryStatus.None, call.SummaryStatus);
        Assert.False(call.IsUnfinished);
        Assert.Equal(JoinResult.Expired, call.TryJoin(Token, null, Host, Created.AddSeconds(1)));
    }

    [Fact]
    public void TheFirstOutcomeStays()
    {
        var call = Joined();
        Assert.Null(call.BilledDuration());
        Assert.True(call.TryEnd(new CallOutcome(EndReason.AgentHangup, ErrorCount: 2), Created.AddSeconds(60)));
        var first = JsonSerializer.Serialize(call.ToSnapshot(), WireJson.Options);
        Assert.False(call.TryEnd(new CallOutcome(EndReason.SystemError), Created.AddSeconds(90)));
        Assert.Equal(first, JsonSerializer.Serialize(call.ToSnapshot(), WireJson.Options));
        Assert.Equal(EndReason.AgentHangup, call.EndReason);
        Assert.Equal(2, call.ToSnapshot().ErrorCount);
        Assert.True(call.IsUnfinished);       // owes its summary
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 6)]
    [InlineData(5_999, 6)]
    [InlineData(6_000, 6)]
    [InlineData(6_001, 12)]
    [InlineData(3_600_000, 3600)]
    [InlineData(-5_000, 0)]                    // a clock that was set back
    public void BilledDuration_IsRoundedUpToSixSeconds(int milliseconds, int billedSeconds)
    {
        var call = Joined();
        call.TryEnd(new CallOutcome(EndReason.Hangup), call.Joined!.Value.AddMilliseconds(milliseconds));
        Assert.Equal(TimeSpan.FromSeconds(billedSeconds), call.BilledDuration());
        Assert.True(call.Ended >= call.Joined);
    }

    [Fact]
    public void BilledDuration_IsTheLeastMultipleThatCoversTheCall()
        => Prop.ForAll<uint>(milliseconds =>
        {
            var length = TimeSpan.FromMilliseconds(milliseconds);
            var call = Joined();
            call.TryEnd(new CallOutcome(EndReason.Hangup), call.Joined!.Value + length);
            var billed = call.BilledDuration()!.Value;
            return billed >= length && billed - length < TimeSpan.FromSeconds(6) && billed.Ticks % TimeSpan.FromSeconds(6).Ticks == 0;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Stages_AreEnteredOnceAndOnlyWhileLive()
    {
        var call = NewCall();
        Assert.False(call.TryEnterStage(Stage("s2"), 0, out _));
        call.TryJoin(Token, null, Host, Created);
        Assert.False(call.TryEnterStage(Stage("s2"), 0, out _));
        Assert.True(call.TryEnterStage(Stage("s2"), 1, out var isNew) && isNew);
        Assert.True(call.TryEnterStage(Stage("s2"), 1, out isNew) && !isNew);
        Assert.Equal(["s1", "s2"], call.Stages.Select(stage => stage.CallStageId));
        Assert.Equal("s2", call.ToSnapshot().Stage.CallStageId);
        call.TryEnd(new CallOutcome(EndReason.Hangup), Created.AddSeconds(5));
        Assert.False(call.TryEnterStage(Stage("s3"), 1, out _));
    }

    private static CallState Joined()
    {
        var call = NewCall();
        call.TryJoin(Token, null, Host, Created.AddSeconds(2));
        return call;
    }

    private static CallState NewCall()
    {
        var call = new CallState();
        call.Create(CallSamples.Settings("c1", Created), JoinToken.Hash(Token));
        return call;
    }

    private static StageSettings Stage(string id) => new() { CallStageId = id, Model = "ultravox-v0.7" };
}
