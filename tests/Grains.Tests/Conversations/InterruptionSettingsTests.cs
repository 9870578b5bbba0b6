using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Calls.Interruptions;

namespace VoiceGrains.Grains.Tests.Conversations;

public class InterruptionSettingsTests
{
    [Theory]
    [InlineData("null")]
    [InlineData("""{"a":1}""")]
    [InlineData("""{"interruption":null}""")]
    public void WithoutTheSetting_ItIsOff(string json)
    {
        Assert.Null(Read(json, out var errors));
        Assert.Equal("[]", errors);
    }

    [Fact]
    public void EmptySetting_TurnsTheDefaultsOn()
        => Assert.Equal(new InterruptionSettings { DecisionWindow = TimeSpan.FromSeconds(0.4), DuckVolume = 0.2, Pauses = false, UndecidedInterrupts = true, Backchannels = null },
            Read("""{"interruption":{}}""", out _));

    [Fact]
    public void EveryField_IsRead()
    {
        var settings = Read("""{"interruption":{"decisionWindow":"0.75s","duckVolume":0,"whileDeciding":"pause","undecided":"continue","backchannels":["roger"]}}""", out var errors)!;

        Assert.Equal("[]", errors);
        Assert.Equal((TimeSpan.FromSeconds(0.75), 0.0, true, false), (settings.DecisionWindow, settings.DuckVolume, settings.Pauses, settings.UndecidedInterrupts));
        Assert.Equal(["roger"], settings.Backchannels!);
    }

    [Fact]
    public void EveryProblem_IsToldAtItsField()
    {
        Read("""{"interruption":{"decisionWindow":"400ms","duckVolume":1.5,"whileDeciding":"mute","undecided":true,"backchannels":["ok","...",5],"volume":1}}""", out var errors);

        Assert.Equal(
            """{"interruption":{"decisionWindow":["Expected a duration such as \u00220.4s\u0022."],"duckVolume":["Expected a number between 0 and 1."],"whileDeciding":["Expected \u0022duck\u0022 or \u0022pause\u0022."],"undecided":["Expected \u0022interrupt\u0022 or \u0022continue\u0022."],"backchannels":{"1":["Expected a word or phrase of 1 to 64 characters."],"2":["Expected a word or phrase of 1 to 64 characters."]},"volume":["There is no such setting."]}}""",
            errors);
    }

    [Theory]
    [InlineData("""{"interruption":[]}""", """{"interruption":["Expected an object."]}""")]
    [InlineData("""{"interruption":{"decisionWindow":"3s"}}""", """{"interruption":{"decisionWindow":["Must be between 0.1s and 2s."]}}""")]
    [InlineData("""{"interruption":{"backchannels":"yeah"}}""", """{"interruption":{"backchannels":["Expected a list of strings."]}}""")]
    public void OtherShapes_AreRefused(string json, string expected)
    {
        Read(json, out var errors);
        Assert.Equal(expected, errors);
    }

    private static InterruptionSettings? Read(string json, out string problems)
    {
        var errors = new InputErrors();
        var settings = InterruptionSettings.Read(JsonNode.Parse(json), errors);
        problems = errors.ToJson().ToJsonString();
        return settings;
    }
}
