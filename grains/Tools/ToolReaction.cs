namespace VoiceGrains.Grains.Tools;

/// <summary>How the agent goes on after its tools, ordered from the quietest: of several tools the most talkative wins.</summary>
internal enum ToolReaction : byte
{
    /// <summary>Waits for the user.</summary>
    Listens,
    /// <summary>Speaks only if it has not yet spoken in this answer.</summary>
    SpeaksOnce,
    /// <summary>Generates again (default).</summary>
    Speaks,
}
