using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Providers.Synthesis.Flite;

/// <summary>Settings of the embedded English synthesizer.</summary>
public sealed class FliteOptions
{
    /// <summary>Voice used when a request names none: <c>slt</c> (female), <c>rms</c>, <c>awb</c> (Scottish), <c>kal16</c>, or <c>kal</c> (8 kHz). Default <c>slt</c>.</summary>
    [Required] public string DefaultVoice { get; set; } = "slt";

    /// <summary>Most synthesis threads. Each speaks about 100 times faster than real time. Default: the number of cores.</summary>
    [Range(1, 256)] public int MaxThreads { get; set; } = Environment.ProcessorCount;

    /// <summary>Most phrases that may wait for a thread; one more fails at once. Default 512.</summary>
    [Range(1, 100_000)] public int MaxQueuedPhrases { get; set; } = 512;

    /// <summary>Speaking speed as a factor of the voice's own. Default 1.0.</summary>
    [Range(0.3, 3.0)] public double Speed { get; set; } = 1.0;

    /// <summary>Rest after a sentence when more follows. Default 300 ms.</summary>
    public TimeSpan SentencePause { get; set; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Rest after a clause when more follows. Default 150 ms.</summary>
    public TimeSpan ClausePause { get; set; } = TimeSpan.FromMilliseconds(150);
}
