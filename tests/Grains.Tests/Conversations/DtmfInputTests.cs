using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>Keys that the caller presses, as a medium delivers them.</summary>
public class DtmfInputTests
{
    [Fact]
    public async Task KeysInQuickSuccession_AreOneMessage_AnsweredAtOnce()
    {
        await using var call = new ConversationHarness().Start();

        foreach (var digit in "12#")
        {
            call.FarEnd.Press(digit.ToString());
            call.Run(0.4);
        }
        Assert.Empty(call.Messages);
        call.RunUntil(() => call.State == "speaking");

        var message = call.Messages[0];
        Assert.Equal((MessageRole.User, "12#", MessageMedium.Text), (message.Role, message.Text, message.Medium));
        Assert.Single(call.Model.Requests);
        Assert.True(call.HasEvent("dtmf"));
        Assert.DoesNotContain(call.Journal.Events, item => item.Text.Contains("12#", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WithoutHandling_KeysInterruptTheAgent()
    {
        await using var call = new ConversationHarness();
        call.Model.Default = "one two three four five six seven eight nine ten";
        call.Start();
        call.FarEnd.Press("5");
        call.RunUntil(() => call.State == "speaking");
        call.Run(1);
        call.FarEnd.Press("6");
        call.Run(0.6);

        Assert.True(call.HasEvent("interruption"));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal("6", call.Messages[2].Text);
    }

    [Theory]
    [InlineData(Urgency.Soon, 2)]
    [InlineData(Urgency.Later, 1)]
    public async Task TemplateAndUrgency_AreTheMediums(Urgency urgency, int requests)
    {
        await using var call = new ConversationHarness();
        var handling = new DtmfHandling { UserTextMessage = new() { Text = "(The caller pressed {digits}.)", Urgency = urgency } };
        call.Settings = call.Settings with { Medium = new CallMedium { Telnyx = new TelnyxMedium { DtmfHandling = handling } } };
        call.Model.Default = "one two three four five six seven eight nine ten";
        call.Start();
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.State == "speaking");
        call.FarEnd.Press("99");
        call.Run(8);

        Assert.False(call.HasEvent("interruption"));
        Assert.Contains(call.Messages, message => message.Text == "(The caller pressed 99.)");
        Assert.Equal(requests, call.Model.Requests.Count);
    }

    [Fact]
    public async Task IgnoredKeys_LeaveNoTrace()
    {
        await using var call = new ConversationHarness();
        call.Settings = call.Settings with { Medium = new CallMedium { Twilio = new TwilioMedium { DtmfHandling = new DtmfHandling { Ignore = true } } } };
        call.Start();
        call.FarEnd.Press("123");
        call.Run(2);

        Assert.Empty(call.Messages);
        Assert.Empty(call.Journal.Events);
    }

    [Fact]
    public async Task Flood_IsBounded_AndNoted()
    {
        await using var call = new ConversationHarness().Start();
        for (var i = 0; i < 300; i++)
        {
            call.FarEnd.Press("1111x");       // 400 a second, and what is no key
            call.Tick();
        }
        call.RunUntil(() => call.Messages.Count > 0 && call.State == "listening");

        Assert.All(call.Messages.Where(message => message.Role == MessageRole.User), message => Assert.InRange(message.Text!.Length, 1, 64));
        Assert.InRange(call.Messages.Where(message => message.Role == MessageRole.User).Sum(message => message.Text!.Length), 40, 80);
        Assert.Single(call.Journal.Events, item => item.Type == "dtmf_dropped");
    }
}
