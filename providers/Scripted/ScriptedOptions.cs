namespace VoiceGrains.Providers.Scripted;

/// <summary>What the scripted family answers. For load tests and benchmarks only: it costs next to nothing, so what is measured is the server.</summary>
public sealed class ScriptedOptions
{
    /// <summary>What the language model always says.</summary>
    public string Answer { get; set; } = "All right, I have noted that down. Is there anything else that I can do for you?";

    /// <summary>What the recognizer always hears.</summary>
    public string Transcript { get; set; } = "go forward ten meters";

    /// <summary>Speaking rate of the synthesizer: each word is a tone of the same length. Default 180.</summary>
    public int WordsPerMinute { get; set; } = 180;

    /// <summary>Pitch of the tone in Hz. Default 440.</summary>
    public int ToneHz { get; set; } = 440;

    /// <summary>Whether the language model asks for sound instead of text. Default false.</summary>
    public bool AcceptsAudio { get; set; }
}
