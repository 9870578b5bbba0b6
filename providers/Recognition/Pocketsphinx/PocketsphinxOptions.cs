using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Providers.Recognition.Pocketsphinx;

/// <summary>Settings of the embedded recognizer. The defaults decode general US English with Debian's <c>pocketsphinx-en-us</c> models.</summary>
public sealed class PocketsphinxOptions
{
    /// <summary>
    /// Most decoders, hence most people whose speech is decoded while they speak; further turns are queued and decoded late.
    /// Each holds its own copy of the models (about 100 MB) and takes about 0.15 of a core while somebody speaks. Default: twice the number of cores.
    /// </summary>
    [Range(1, 1024)] public int MaxDecoders { get; set; } = 2 * Environment.ProcessorCount;

    /// <summary>Decoders that <see cref="PocketsphinxRecognizer.WarmAsync"/> loads ahead; the others load on demand, which takes about half a second each. 0: none. Default: the number of cores.</summary>
    [Range(0, 1024)] public int WarmDecoders { get; set; } = Environment.ProcessorCount;

    /// <summary>Most turns that may wait for a decoder; one more fails at once. Default 256.</summary>
    [Range(1, 100_000)] public int MaxQueuedTurns { get; set; } = 256;

    /// <summary>Audio that one turn may hold undecoded; what comes on top is dropped and counted. Default 60 s.</summary>
    public TimeSpan MaxQueuedAudio { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest wait for a text once a turn has ended, the wait for a decoder included. Default 30 s.</summary>
    public TimeSpan FinishTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>A turn without new audio for this long gives its decoder back, so that a forgotten turn cannot hold one. Default 30 s.</summary>
    public TimeSpan MaxTurnIdle { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Shortest time between two partial texts. Default 200 ms.</summary>
    public TimeSpan PartialInterval { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Speech from which a turn's cepstral mean (the microphone's and voice's colour) is estimated before its decoding starts.
    /// Without it the first words of each caller suffer: measured over human recordings, 24 % instead of 30 % word errors. Default 1 s, zero turns it off.
    /// </summary>
    public TimeSpan CepstralWarmUp { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// From this length on, a turn is divided at its next pause, which bounds the work left for its end. Default 8 s.
    /// </summary>
    public TimeSpan SegmentAfter { get; set; } = TimeSpan.FromSeconds(8);

    /// <summary>Folder of the acoustic model. Default: Debian's <c>pocketsphinx-en-us</c>.</summary>
    [Required] public string AcousticModel { get; set; } = "/usr/share/pocketsphinx/model/en-us/en-us";

    /// <summary>Pronunciation dictionary. Default: Debian's CMU dictionary of US English.</summary>
    [Required] public string Dictionary { get; set; } = "/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict";

    /// <summary>Statistical language model (ARPA or binary), used unless a grammar or keyword list is set.</summary>
    [Required] public string LanguageModel { get; set; } = "/usr/share/pocketsphinx/model/en-us/en-us.lm.bin";

    /// <summary>JSGF grammar file: only its sentences are understood. Default none.</summary>
    public string? Grammar { get; set; }

    /// <summary>Keyword list file (one phrase and threshold per line): only these are spotted. Default none; <see cref="Grammar"/> goes first.</summary>
    public string? KeywordList { get; set; }

    /// <summary>Active search states per frame (<c>-maxhmmpf</c>): fewer is faster. Default 5000, a third less work than the library's 30000 at equal word errors.</summary>
    [Range(500, 100_000)] public int MaxActiveStates { get; set; } = 5000;

    /// <summary>Search beam (<c>-beam</c>); null keeps the library's 1e-48. Wider (smaller) is slower, and no more accurate on our recordings.</summary>
    public double? Beam { get; set; }

    /// <summary>Speech detection threshold over noise in the decoder's own front end (<c>-vad_threshold</c>). Default 2.0, the library's.</summary>
    [Range(0.1, 20)] public double VadThreshold { get; set; } = 2.0;

    /// <summary>Spectral noise subtraction (<c>-remove_noise</c>). Default on: off costs 3 points of word errors.</summary>
    public bool RemoveNoise { get; set; } = true;
}
