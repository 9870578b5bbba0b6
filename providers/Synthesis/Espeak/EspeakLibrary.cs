using System.Runtime.InteropServices;
using System.Text;

namespace VoiceGrains.Providers.Synthesis.Espeak;

/// <summary>
/// The process' one espeak-ng: the library keeps voice, parameters and output in globals, so every use takes this gate.
/// It is initialized once and never terminated.
/// </summary>
internal static unsafe class EspeakLibrary
{
    public static readonly Lock Gate = new();
    private const int BufferMilliseconds = 100;
    private static string? voice;
    private static EspeakSound? listening;

    /// <summary>Rate of its sound, 22050 Hz in every stock installation; 0 before <see cref="Open"/>.</summary>
    public static int SampleRateHz { get; private set; }

    /// <summary>Loads and initializes the library the first time. The gate must be held.</summary>
    /// <exception cref="ProviderException">The library or its data are missing.</exception>
    public static void Open()
    {
        if (SampleRateHz > 0)
            return;
        if (!NativeLibrary.TryLoad(EspeakNative.Library, out _))
            throw Unavailable("libespeak-ng.so.1 is missing: install the Debian package libespeak-ng1.");
        var rate = EspeakNative.Initialize(EspeakNative.SynchronousOutput, BufferMilliseconds, 0, EspeakNative.DoNotExit);
        if (rate <= 0)
            throw Unavailable("espeak-ng found no voice data: install the Debian package espeak-ng-data.");
        EspeakNative.SetCallback(&OnSound);
        SampleRateHz = rate;
    }

    /// <summary>Speaks one phrase into <paramref name="sound"/>. The gate must be held and the library open.</summary>
    public static void Speak(string voiceName, EspeakOptions options, string text, EspeakSound sound)
    {
        if (voice != voiceName && !TrySetVoice(voiceName))
        {
            voice = null;
            throw new ProviderException(EspeakSynthesizer.ProviderName, ProviderFault.Rejected, $"espeak-ng has no voice '{voiceName}'.");
        }
        voice = voiceName;
        EspeakNative.SetParameter(EspeakNative.Rate, options.WordsPerMinute, 0);
        EspeakNative.SetParameter(EspeakNative.Pitch, options.Pitch, 0);
        var bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        listening = sound;
        try
        {
            fixed (byte* characters = bytes)
            {
                if (EspeakNative.Synthesize(characters, (nuint)bytes.Length, 0, EspeakNative.ByCharacter, 0, EspeakNative.Utf8, null, 0) != EspeakNative.Ok)
                    throw new ProviderException(EspeakSynthesizer.ProviderName, ProviderFault.ServerError, "espeak-ng could not speak the text.");
            }
        }
        finally
        {
            listening = null;
        }
        if (sound.Fault is { } fault)
            throw fault;
    }

    /// <summary>All voices of the installation.</summary>
    public static List<EspeakVoice> ListVoices()
    {
        var voices = new List<EspeakVoice>();
        for (var entry = EspeakNative.ListVoices(0); entry is not null && *entry is not null; entry++)
        {
            var identifier = Marshal.PtrToStringUTF8((*entry)->Identifier) ?? "";
            if (!identifier.StartsWith("mb/", StringComparison.Ordinal) && (*entry)->Languages != 0)   // MBROLA voices need another program
                voices.Add(new(Marshal.PtrToStringUTF8((*entry)->Languages + 1) ?? "", Marshal.PtrToStringUTF8((*entry)->Name) ?? ""));
        }
        return voices;
    }

    /// <summary>The library knows voices by file name (<c>fr</c>) and title (<c>French (France)</c>), but by language (<c>fr-fr</c>) only in its list.</summary>
    private static bool TrySetVoice(string name)
    {
        if (EspeakNative.SetVoice(name) == EspeakNative.Ok)
            return true;
        var variant = name.IndexOf('+') is var plus and >= 0 ? name[plus..] : "";
        var language = name[..^variant.Length];
        return ListVoices().Find(entry => string.Equals(entry.Name, language, StringComparison.OrdinalIgnoreCase)) is { } found
            && EspeakNative.SetVoice(found.Title + variant) == EspeakNative.Ok;
    }

    [UnmanagedCallersOnly]
    private static int OnSound(short* pcm, int count, EspeakNative.Event* events)
    {
        const int Continue = 0, Abort = 1;
        var sound = listening;
        if (sound is null)
            return Abort;
        try   // nothing may be thrown through the library's frames
        {
            for (; events is not null && events->Type != EspeakNative.EventListEnd; events++)
                sound.OnEvent(events->Type, events->TextPosition, events->Length, events->Milliseconds);
            return pcm is null || sound.OnPcm(new(pcm, count)) ? Continue : Abort;
        }
        catch (Exception exception)
        {
            sound.Fault = exception;
            return Abort;
        }
    }

    private static ProviderException Unavailable(string why) => new(EspeakSynthesizer.ProviderName, ProviderFault.Unavailable, why);
}
