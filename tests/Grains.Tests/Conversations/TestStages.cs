using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Calls.Stages;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>Stages of a test: bodies are read as everywhere, voices and tools are the test's own, and a list takes the place of the call's grain.</summary>
internal sealed class TestStages : IStageSource
{
    public Dictionary<string, AgentVoice> Voices { get; } = [];
    public List<CallTool> Tools { get; } = [];

    /// <summary>Why the next stage's voice is not the one that was asked for.</summary>
    public string? VoiceProblem { get; set; }
    public List<StageSettings> Stored { get; } = [];

    /// <summary>Completes when a body may be resolved.</summary>
    public Task Ready { get; set; } = Task.CompletedTask;

    /// <summary>How storing a stage ends.</summary>
    public Func<Task<bool>> Store { get; set; } = () => Task.FromResult(true);

    public async Task<NextStage> ResolveAsync(string accountId, StageSettings current, string body, CancellationToken cancellationToken)
    {
        await Ready;
        var (given, result, ignored) = NextStageBody.Read(body);
        if (!Voices.TryGetValue(given.Voice ?? "", out var voice)) throw new InvalidInputException("voice", $"Voice '{given.Voice}' does not exist.");
        return new NextStage
        {
            Settings = current with
            {
                CallStageId = $"stage-{Stored.Count + 2}",
                SystemPrompt = given.SystemPrompt ?? current.SystemPrompt,
                Temperature = given.Temperature ?? current.Temperature,
                Voice = given.Voice,
                VadSettings = given.VadSettings ?? current.VadSettings,
                InactivityMessages = given.InactivityMessages ?? current.InactivityMessages,
                Tools = given.SelectedTools is { } selected ? [.. selected.Select(item => Tools.Single(tool => tool.Name == item.ToolName))] : current.Tools,
                InitialMessages = given.InitialMessages ?? [],
            },
            HasHistory = given.InitialMessages is not null,
            State = given.InitialState,
            ToolResultText = result ?? "OK",
            Voice = voice,
            VoiceProblem = VoiceProblem,
            IgnoredFields = ignored,
        };
    }

    public async Task<bool> StoreAsync(CallRun run, StageSettings stage, CancellationToken cancellationToken)
    {
        Stored.Add(stage);
        return await Store();
    }
}
