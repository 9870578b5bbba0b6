using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Grains.Tests.Calls;

internal static class CallTables
{
    /// <summary>The migrations that make the calls' tables, as they are embedded.</summary>
    public static string Sql
    {
        get
        {
            var assembly = typeof(ICallJournal).Assembly;
            return string.Concat(assembly.GetManifestResourceNames().Where(name => name.Contains(".02", StringComparison.Ordinal) || name.Contains(".040", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(Read));

            string Read(string name)
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
                return reader.ReadToEnd();
            }
        }
    }
}
