using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Tests.Calls;

/// <summary>Calls for tests.</summary>
internal static class CallSamples
{
    public static CallSettings Settings(string callId, DateTimeOffset created) => new()
    {
        CallId = callId,
        AccountId = "account-1",
        Created = created,
        Medium = new CallMedium { ServerWebSocket = new WebSocketMedium { InputSampleRate = 16_000 } },
        FirstSpeaker = new FirstSpeakerSettings { Agent = new AgentGreeting() },
        FirstStage = new StageSettings { CallStageId = "s1", Created = created, Model = "ultravox-v0.7", SystemPrompt = "Be brief." },
    };
}
