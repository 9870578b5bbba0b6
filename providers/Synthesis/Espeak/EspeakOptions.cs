using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Providers.Synthesis.Espeak;

/// <summary>Settings of the embedded synthesizer for many languages.</summary>
public sealed class EspeakOptions
{
    /// <summary>Voice used when a request names neither voice nor known language. Default <c>en-us</c>.</summary>
    [Required] public string DefaultVoice { get; set; } = "en-us";

    /// <summary>Speaking speed in words per minute, 80 to 450. Default 175, the library's.</summary>
    [Range(80, 450)] public int WordsPerMinute { get; set; } = 175;

    /// <summary>Base pitch, 0 to 99. Default 50, the library's.</summary>
    [Range(0, 99)] public int Pitch { get; set; } = 50;

    /// <summary>Most worker processes, started on demand, about 40 MB each. One speaks about 200 times faster than real time. Default 2.</summary>
    [Range(1, 64)] public int MaxWorkers { get; set; } = 2;

    /// <summary>Longest time for one phrase; a worker that takes longer is killed and replaced. Default 10 s.</summary>
    public TimeSpan PhraseTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Most phrases that may wait for a worker; one more fails at once. Default 512.</summary>
    [Range(1, 100_000)] public int MaxQueuedPhrases { get; set; } = 512;

    /// <summary>Rest after a sentence when more follows. Default 300 ms.</summary>
    public TimeSpan SentencePause { get; set; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Rest after a clause when more follows. Default 150 ms.</summary>
    public TimeSpan ClausePause { get; set; } = TimeSpan.FromMilliseconds(150);
}
