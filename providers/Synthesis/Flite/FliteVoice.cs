using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace VoiceGrains.Providers.Synthesis.Flite;

/// <summary>
/// A private instance of a flite voice. Flite counts references to a voice's features without atomics, so threads must not share a voice.
/// The voice's data are constants, though, and only the small feature table is mutable: each engine thread has an
/// instance of its own, got by clearing the voice library's "already registered" variable around registration.
/// </summary>
internal sealed class FliteVoice() : SafeHandleZeroOrMinusOneIsInvalid(ownsHandle: true)
{
    public static readonly IReadOnlyList<string> Names = ["slt", "rms", "awb", "kal16", "kal"];
    private static readonly Lock Registration = new();

    /// <exception cref="ProviderException">No such voice, or its library is missing.</exception>
    public static unsafe FliteVoice Create(string name)
    {
        var library = Load($"libflite_cmu_us_{name}.so.1");
        var single = name.StartsWith("kal", StringComparison.Ordinal) ? $"cmu_us_{name}_diphone" : $"cmu_us_{name}_cg";
        if (!NativeLibrary.TryGetExport(library, $"register_cmu_us_{name}", out var register) || !NativeLibrary.TryGetExport(library, single, out var registered))
            throw Unavailable($"flite's voice library '{name}' has an unknown layout.");
        lock (Registration)
        {
            _ = FliteNative.Initialize();
            *(nint*)registered = 0;
            var voice = new FliteVoice();
            voice.SetHandle(((delegate* unmanaged<byte*, nint>)register)(null));
            *(nint*)registered = 0;
            return voice.IsInvalid ? throw Unavailable($"flite could not load the voice '{name}'.") : voice;
        }
    }

    /// <summary>The voice's short name, from <c>slt</c> or <c>cmu_us_slt</c> in any case.</summary>
    /// <exception cref="ProviderException"><see cref="ProviderFault.Rejected"/>: no such voice.</exception>
    public static string Normalize(string name)
    {
        var found = name.ToLowerInvariant();
        if (found.StartsWith("cmu_us_", StringComparison.Ordinal))
            found = found["cmu_us_".Length..];
        return Names.Contains(found) ? found
            : throw new ProviderException(FliteSynthesizer.ProviderName, ProviderFault.Rejected, $"flite has no voice '{name}': it has {string.Join(", ", Names)}.");
    }

    public static nint Load(string library)
        => NativeLibrary.TryLoad(library, out var handle) ? handle : throw Unavailable($"{library} is missing: install the Debian package libflite1.");

    /// <summary>The feature table, valid as long as the voice.</summary>
    public unsafe nint Features => ((FliteNative.VoiceHead*)handle)->Features;

    protected override bool ReleaseHandle()
    {
        lock (Registration)   // it may drop references to shared values
            FliteNative.DeleteVoice(handle);
        return true;
    }

    private static ProviderException Unavailable(string why) => new(FliteSynthesizer.ProviderName, ProviderFault.Unavailable, why);
}
