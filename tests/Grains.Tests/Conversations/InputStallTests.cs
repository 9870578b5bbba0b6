using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>Sound that stops coming in the middle of a turn.</summary>
public class InputStallTests
{
    private static ConversationHarness Listening()
    {
        var call = new ConversationHarness();
        call.Settings = call.Settings with { FirstSpeaker = new() { User = new() } };
        return call.Start();
    }

    private static int UserTurns(ConversationHarness call) => call.Messages.Count(message => message.Role == MessageRole.User);

    [Fact]
    public async Task AStallOfTheConnection_EndsTheTurn_AsSilenceWould()
    {
        await using var call = Listening();
        call.MicrophoneOn = false;
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => !call.IsSpeaking);
        var stopped = call.Now;
        call.RunUntil(() => UserTurns(call) == 1);
        Assert.InRange((call.Now - stopped).TotalMilliseconds, 384, 384 + 250 + 50);
    }

    [Theory]
    [InlineData(650)]
    [InlineData(1500)]
    public async Task AStallOfTheProcess_EndsNoTurn_BecauseTheSoundIsOnlyWaiting(int milliseconds)
    {
        await using var call = Listening();
        call.Speak(TimeSpan.FromSeconds(3));
        call.Run(1);
        call.StandStill(TimeSpan.FromMilliseconds(milliseconds));
        call.RunUntil(() => UserTurns(call) == 1);
        Assert.False(call.IsSpeaking);
        call.Run(2);
        Assert.Equal(1, UserTurns(call));
    }

    [Fact]
    public async Task ASecondStallOfTheProcess_EndsNoTurnEither()
    {
        await using var call = Listening();
        call.Speak(TimeSpan.FromSeconds(4));
        call.Run(1);
        call.StandStill(TimeSpan.FromMilliseconds(700));
        call.Run(0.5);
        call.StandStill(TimeSpan.FromMilliseconds(700));
        call.RunUntil(() => UserTurns(call) == 1);
        Assert.False(call.IsSpeaking);
        call.Run(2);
        Assert.Equal(1, UserTurns(call));
    }
}
