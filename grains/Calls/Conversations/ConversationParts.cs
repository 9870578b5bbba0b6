using Microsoft.Extensions.Logging;
using VoiceGrains.Grains.Calls.LiveEvents;
using VoiceGrains.Grains.Calls.Stages;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Media;
using VoiceGrains.Providers.Language;
using VoiceGrains.Providers.Recognition;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>What a conversation works with; resolved once when it starts.</summary>
internal sealed record ConversationParts
{
    public required ILanguageModel Model { get; init; }
    /// <summary>The model's name at its provider.</summary>
    public required string ModelName { get; init; }
    /// <summary>Null: only the model hears the user, and there are no user transcripts.</summary>
    public IRecognizer? Recognizer { get; init; }
    public required AgentVoice Voice { get; init; }
    /// <summary>Speaks when <see cref="Voice"/> fails; null when there is none.</summary>
    public AgentVoice? FallbackVoice { get; init; }
    /// <summary>Why <see cref="Voice"/> is not the one that the stage asks for; told as an event.</summary>
    public string? VoiceProblem { get; init; }
    public required IToolInvoker Tools { get; init; }
    public required ICallJournal Journal { get; init; }
    public required Pacer Pacer { get; init; }
    public required TimeProvider Clock { get; init; }
    public required ILogger Logger { get; init; }
    public StereoRecorder? Recorder { get; init; }
    /// <summary>Null: the call gets no data connection, whatever it asks for.</summary>
    public DataConnections.DataConnections? DataConnections { get; init; }
    /// <summary>Null: nobody can watch the call.</summary>
    public ILiveEventSink? LiveEvents { get; init; }
    /// <summary>Null: the call begins.</summary>
    public CallPast? Past { get; init; }
    /// <summary>Makes new stages; null: the conversation stays in the one it began with.</summary>
    public IStageSource? Stages { get; init; }
    /// <summary>Stages that the call has had, the current one included.</summary>
    public int StageCount { get; init; } = 1;
    /// <summary>When this silo stops, another one can go on with the call.</summary>
    public bool ResumesElsewhere { get; init; }
    public ConversationOptions Options { get; init; } = new();
}
