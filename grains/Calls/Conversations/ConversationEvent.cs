namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>What can happen to a conversation. Everything that changes one arrives at its loop as one of these.</summary>
internal enum EventKind : byte
{
    /// <summary>Payload: pooled short[]; Number: samples at the port's input rate.</summary>
    Audio,
    /// <summary>Payload: byte[] (UTF-8 JSON) from the client.</summary>
    ClientData,
    /// <summary>Payload: JsonObject from the REST API.</summary>
    ServerData,
    /// <summary>Payload: <see cref="MediaNotice"/>.</summary>
    Notice,
    /// <summary>Number: a digit that the caller pressed.</summary>
    Dtmf,
    /// <summary>Payload: byte[] (UTF-8 JSON) from the data connection.</summary>
    ConnectionData,
    /// <summary>Payload: <see cref="DataConnections.ConnectionNotice"/>.</summary>
    ConnectionNotice,
    /// <summary>Payload: boxed <see cref="MediaEnd"/>.</summary>
    MediaEnded,
    /// <summary>Payload: <see cref="UserTurn"/>, whose text so far changed.</summary>
    PartialText,
    /// <summary>Payload: <see cref="UserTurn"/>, recognized or failed.</summary>
    Recognized,
    /// <summary>Payload: <see cref="ModelOutput"/>.</summary>
    Model,
    /// <summary>Payload: <see cref="FinishedTool"/>.</summary>
    ToolFinished,
    /// <summary>Payload: <see cref="StageStep"/>.</summary>
    Stage,
    /// <summary>Payload: <see cref="Utterance"/>; its first sample is heard.</summary>
    UtteranceStarted,
    /// <summary>Payload: <see cref="Utterance"/>; its last sample was heard.</summary>
    UtterancePlayed,
    /// <summary>Payload: <see cref="Utterance"/>; all its sound is synthesized.</summary>
    UtteranceSynthesized,
    /// <summary>Payload: <see cref="SpeechFailure"/>.</summary>
    SpeechFailed,
    /// <summary>A voice that had failed spoke an utterance to its end.</summary>
    SpeechRecovered,
    /// <summary>The agent's sound ran dry inside an utterance.</summary>
    Underrun,
    /// <summary>Time to look at what was played, about every 50 ms while the agent speaks.</summary>
    Progress,
    /// <summary>Payload: <see cref="Threads.ThreadSignal"/>.</summary>
    Thread,
    /// <summary>Some deadline passed.</summary>
    Timer,
    /// <summary>Payload: <see cref="EndRequest"/>.</summary>
    End,
}

/// <summary>One event. A struct, so that the per-frame kinds allocate nothing.</summary>
internal readonly record struct ConversationEvent(EventKind Kind, object? Payload = null, int Number = 0);
