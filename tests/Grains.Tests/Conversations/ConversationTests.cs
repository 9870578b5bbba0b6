using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Tests.Conversations;

public class ConversationTests
{
    [Fact]
    public async Task UserTurn_IsRecognizedAnsweredAndHeard()
    {
        await using var call = new ConversationHarness().Start();
        call.Recognizer.Default = "go forward ten meters";
        call.Model.Default = "Going forward. Ten meters it is.";

        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.State == "speaking");
        call.RunUntil(() => call.State == "listening");

        Assert.Equal(["go forward ten meters", "Going forward. Ten meters it is."], call.Messages.Select(message => message.Text));
        Assert.Equal([MessageRole.User, MessageRole.Agent], call.Messages.Select(message => message.Role));
        Assert.Equal(["listening", "thinking", "speaking", "listening"], call.FarEnd.OfType("state").Select(message => (string?)message["state"]));
        var transcripts = call.FarEnd.OfType("transcript").ToArray();
        Assert.Equal("Going forward. Ten meters it is.", string.Concat(transcripts.Where(t => t["delta"] is not null).Select(t => (string?)t["delta"])));
        Assert.Equal([0, 1], transcripts.Where(t => (bool)t["final"]!).Select(t => (int)t["ordinal"]!));
        Assert.True(call.HasEvent("turn_latency"));
    }
}
