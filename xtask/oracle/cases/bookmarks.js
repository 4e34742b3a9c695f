// Earlier states of an object. (workerd alone keeps none.)
export const inside = {
  async "a bookmark names a state"({ storage, log, tries }) {
    const first = await storage.getCurrentBookmark();
    await storage.put("a", 1);
    const second = await storage.getCurrentBookmark();
    log(typeof first, typeof second, first < second);
    await tries("at a time", async () => typeof (await storage.getBookmarkForTime(Date.now())));
    await tries("no bookmark", () => storage.onNextSessionRestoreBookmark("yesterday"));
    await tries("order", async () => typeof (await storage.onNextSessionRestoreBookmark(first)));
  },
};
