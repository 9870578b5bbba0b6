using System.Globalization;
using System.Runtime.InteropServices;

namespace VoiceGrains.Providers.Recognition.Pocketsphinx;

/// <summary>
/// One loaded decoder. Not thread-safe: its worker thread owns it. Every turn starts from the model's own state, so that one caller's voice and line
/// never colour another's text and the same audio always gives the same text.
/// </summary>
internal sealed unsafe class PocketsphinxDecoder : IDisposable
{
    private const int MaxCepstrumLength = 64;
    private static readonly Lock LogGate = new();
    private readonly PocketsphinxHandle handle;
    private readonly PocketsphinxOptions options;
    private readonly short[] warmUp;
    private readonly float[] modelMean;
    private readonly List<string> segments = [];
    private int warmUpFilled;
    private long segmentSamples;
    private bool open;

    /// <exception cref="ProviderException">The library or a model file is missing, or the models do not fit together.</exception>
    public PocketsphinxDecoder(PocketsphinxOptions options)
    {
        this.options = options;
        if (!IsAvailable(options, out var why))
            throw new ProviderException(PocketsphinxRecognizer.ProviderName, ProviderFault.Unavailable, why);
        handle = Load(options);
        if (handle.IsInvalid)
            throw new ProviderException(PocketsphinxRecognizer.ProviderName, ProviderFault.Unavailable,
                "pocketsphinx refused its configuration: do acoustic model, dictionary and language model or grammar belong together?");
        warmUp = new short[(int)(options.CepstralWarmUp.TotalSeconds * SampleRateHz)];
        var mean = Mean;
        modelMean = mean is null ? [] : new ReadOnlySpan<float>(mean->Mean, mean->Length).ToArray();
    }

    public const int SampleRateHz = 16_000;

    /// <summary>Whether library and model files are there; otherwise what is missing and the Debian package that has it.</summary>
    public static bool IsAvailable(PocketsphinxOptions options, out string why)
    {
        why = "";
        if (!NativeLibrary.TryLoad("libpocketsphinx.so.3", out _) || !NativeLibrary.TryLoad("libsphinxbase.so.3", out _))
            why = "libpocketsphinx.so.3 is missing: install the Debian package libpocketsphinx3.";
        else if (!File.Exists(Path.Combine(options.AcousticModel, "mdef")))
            why = $"No acoustic model in '{options.AcousticModel}': install the Debian package pocketsphinx-en-us.";
        else if (Files(options).FirstOrDefault(file => !File.Exists(file)) is { } missing)
            why = $"Model file '{missing}' is missing: the defaults are in the Debian package pocketsphinx-en-us.";
        return why.Length == 0;
    }

    /// <summary>Begins a turn.</summary>
    public void Begin()
    {
        Discard();
        ResetMean();
        PocketsphinxNative.StartStream(handle);   // forgets the noise profile of the line before
    }

    /// <summary>Forgets the turn begun.</summary>
    public void Discard()
    {
        segments.Clear();
        warmUpFilled = 0;
        if (open)
            EndSegment();
    }

    /// <summary>Decodes 16 kHz samples, or keeps them while the warm-up lasts.</summary>
    public void Feed(ReadOnlySpan<short> pcm)
    {
        if (warmUpFilled < warmUp.Length)
        {
            var taken = Math.Min(pcm.Length, warmUp.Length - warmUpFilled);
            pcm[..taken].CopyTo(warmUp.AsSpan(warmUpFilled));
            warmUpFilled += taken;
            pcm = pcm[taken..];
            if (warmUpFilled == warmUp.Length)
                DecodeWarmUp();
        }
        if (pcm.Length > 0)
            Search(pcm);
    }

    /// <summary>The turn's text so far.</summary>
    public string Partial() => open ? Join(Hypothesis()) : Join("");

    /// <summary>Ends the turn and gives its text.</summary>
    public string End()
    {
        if (warmUpFilled > 0 && warmUpFilled < warmUp.Length)
            DecodeWarmUp();
        if (open)
            segments.Add(EndSegment());
        return Join("");
    }

    public void Dispose() => handle.Dispose();

    private PocketsphinxNative.CepstralMean* Mean
    {
        get
        {
            var features = PocketsphinxNative.Features(handle);
            var mean = features is null ? null : features->Mean;
            return mean is null || mean->Length is < 1 or > MaxCepstrumLength ? null : mean;
        }
    }

    /// <summary>
    /// The live mean is a running one that decoding updates only after seconds, so a new voice is judged by the last one's. We let the front end alone
    /// run over the turn's first second (cheap, no search), take that mean, and only then decode the same second.
    /// </summary>
    private void DecodeWarmUp()
    {
        var audio = warmUp.AsSpan(0, warmUpFilled);
        warmUpFilled = warmUp.Length;
        if (PocketsphinxNative.StartUtterance(handle) >= 0)
        {
            Process(audio, withoutSearch: true);
            PocketsphinxNative.EndUtterance(handle);
        }
        Search(audio);
    }

    private void Search(ReadOnlySpan<short> pcm)
    {
        if (!open)
        {
            if (PocketsphinxNative.StartUtterance(handle) < 0)
                throw new ProviderException(PocketsphinxRecognizer.ProviderName, ProviderFault.ServerError, "pocketsphinx could not start an utterance.");
            open = true;
            segmentSamples = 0;
        }
        Process(pcm, withoutSearch: false);
        segmentSamples += pcm.Length;
        if (segmentSamples > options.SegmentAfter.TotalSeconds * SampleRateHz && PocketsphinxNative.InSpeech(handle) == 0)
            segments.Add(EndSegment());
    }

    private void Process(ReadOnlySpan<short> pcm, bool withoutSearch)
    {
        fixed (short* samples = pcm)
            PocketsphinxNative.Process(handle, samples, (nuint)pcm.Length, withoutSearch ? 1 : 0, 0);
    }

    private string EndSegment()
    {
        open = false;
        return PocketsphinxNative.EndUtterance(handle) < 0 ? "" : Hypothesis();
    }

    private string Hypothesis() => Marshal.PtrToStringUTF8(PocketsphinxNative.Hypothesis(handle, 0)) ?? "";

    private string Join(string last) => string.Join(' ', segments.Append(last).Where(text => text.Length > 0));

    private void ResetMean()
    {
        var mean = Mean;
        if (mean is null)
            return;
        modelMean.CopyTo(new Span<float>(mean->Mean, mean->Length));
        new Span<float>(mean->Sum, mean->Length).Clear();
        mean->Frames = 0;
    }

    private static PocketsphinxHandle Load(PocketsphinxOptions options)
    {
        string[] arguments = [.. Arguments(options)];
        var values = stackalloc nint[arguments.Length];
        try
        {
            for (var i = 0; i < arguments.Length; i++)
                values[i] = Marshal.StringToCoTaskMemUTF8(arguments[i]);
            lock (LogGate)   // the library's logging and the parser use globals
            {
                PocketsphinxNative.SetLogFile(0);
                using var configuration = PocketsphinxNative.ParseCommandLine(0, PocketsphinxNative.Arguments(), arguments.Length, values, 1);
                return configuration.IsInvalid ? new PocketsphinxHandle() : PocketsphinxNative.Create(configuration);
            }
        }
        finally
        {
            for (var i = 0; i < arguments.Length; i++)
                Marshal.FreeCoTaskMem(values[i]);
        }
    }

    private static IEnumerable<string> Arguments(PocketsphinxOptions options)
    {
        var (key, model) = Search(options);
        string[] arguments =
        [
            "voicegrains", "-hmm", options.AcousticModel, "-dict", options.Dictionary, key, model,
            "-maxhmmpf", Text(options.MaxActiveStates), "-vad_threshold", Text(options.VadThreshold), "-remove_noise", options.RemoveNoise ? "yes" : "no",
        ];
        return options.Beam is { } beam ? [.. arguments, "-beam", Text(beam)] : arguments;
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);

    private static (string Key, string Path) Search(PocketsphinxOptions options)
        => options.Grammar is { } grammar ? ("-jsgf", grammar)
            : options.KeywordList is { } keywords ? ("-kws", keywords)
            : ("-lm", options.LanguageModel);

    private static IEnumerable<string> Files(PocketsphinxOptions options) => [options.Dictionary, Search(options).Path];
}
