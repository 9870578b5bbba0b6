using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Grains.Tests.Calls;

internal static class CallTables
{
    /// <summary>The migration that makes the calls' tables, as it is embedded.</summary>
    public static string Sql
    {
        get
        {
            var assembly = typeof(ICallJournal).Assembly;
            var name = Assert.Single(assembly.GetManifestResourceNames(), name => name.EndsWith("0200_calls.sql", StringComparison.Ordinal));
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            return reader.ReadToEnd();
        }
    }
}
